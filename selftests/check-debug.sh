#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: check-debug.sh [TEST...]
# Runs test_*.sh on a kernel that looks for faults (kernel.sh), beside
# the proof that faults are seen (canary/). A TEST is "canary" or the name of
# a file without test_ and suffix; default: all. The last line counts the
# cases: "N passed, N failed, N skipped".
#
# environment:
#	MACHINE=uml	User-Mode Linux: one processor, native speed; qemu: two
#			processors, preemption, several times as long
#	CLB_SLOW=4	factor for all times: so much slower is this kernel
#	TIMEOUT=14400	seconds for a virtual machine
#	VMS=2		virtual machines that share the test files, side by side
#	UNTIL=seconds	since 1970: test files that have not begun by then are
#			skipped
#	LEAKS="faults stress"	files after which leaks are looked for at once;
#			for those of the others, at the end
set -uo pipefail
cd "$(dirname "$(realpath "$0")")/.." || exit 1
mkdir -p build/log
# shellcheck disable=SC2034 # used by suite.sh and vms.sh
prefix=debug-
# shellcheck source=selftests/suite.sh
. selftests/suite.sh
# shellcheck source=selftests/vms.sh
. selftests/vms.sh
want=" $* "
export CLB_SLOW=${CLB_SLOW:-4}
machine=${MACHINE:-uml}
case $machine in
qemu)	kind=debug arch=x86 ;;
uml)	kind=debug-uml arch=um ;;
*)	echo "check-debug.sh: MACHINE is qemu or uml, not '$machine'" >&2
	exit 2 ;;
esac
top=$PWD/build/$kind
mkdir -p "$top"

wanted() { [ "$want" = "  " ] || [[ $want == *" $1 "* ]]; }

# Sources are copied, so that kmod/ keeps what was built for this host.
copy() { # FROM TO
	rsync -r --checksum --include='*/' --exclude='*.mod.c' \
		--include='*.[ch]' --include=Kbuild --exclude='*' \
		"$1/" "$top/$2/"
}

# UBSAN looks at nothing that does not ask for it.
module() { # DIRECTORY VARIABLE...
	make -s "-j$(nproc)" -C "$kernel/build" "ARCH=$arch" "M=$top/$1" \
		UBSAN_SANITIZE=y "${@:2}" modules
}

build() {
	make -s tools fuzzers &&
		copy include include && copy kmod kmod && copy kmod kunit &&
		copy selftests/canary canary &&
		module kmod GCOV_PROFILE=y &&
		module kunit GCOV_PROFILE=y CLB_KUNIT=y && module canary &&
		selftests/programs.sh &&
		echo "ok 1 - build"
}

rm -rf build/log/debug-*.tap build/log/debug-vm*/
if ! kernel=$(selftests/kernel.sh "$kind"); then
	suite build echo "not ok 1 - build of the debug kernel"
	finish
fi
suite build build
[ "$failed" -eq 0 ] || finish

KVER=$(cat "$kernel/release")
export KVER KERNEL=$kernel/bzImage MODROOT=$kernel/root
if [ "$machine" = uml ]; then
	export BOOT=selftests/vm/uml.sh KERNEL=$kernel
fi
export TIMEOUT=${TIMEOUT:-14400}
# KASAN reports the first fault alone unless told.
export APPEND="kasan_multi_shot ${APPEND:-}"
# To delete a namespace takes a dozen grace periods, of seconds each: who waits for
# that is not hung.
if [ "$machine" = qemu ]; then
	APPEND+=" sysctl.kernel.hung_task_timeout_secs=$((120 * CLB_SLOW))"
fi
# KUnit runs where it is told to; counts outlive the module (coverage.py).
APPEND+=" kunit.enable=1 gcov_persist=1"

# One machine after the other, beside those of the tests.
! wanted canary || CPU=0 begin canary selftests/canary/check.sh "$top/canary/canary.ko"
for name in "$@"; do
	[ "$name" = canary ] || [ -e "selftests/test_$name.sh" ] ||
		suite "$name" echo "not ok 1 - $name: no such test"
done
mapfile -t vm < <(wanted_tests "$@")
export TEST_TIMEOUT=${TEST_TIMEOUT:-600}
run_vms "${VMS:-2}" "CLB_KO=$top/kmod/clb.ko" \
	"CLB_KUNIT_KO=$top/kunit/clb.ko" "CLB_LRO_KO=$top/canary/lro.ko" \
	"LEAKS=${LEAKS-faults stress}" -- "${vm[@]}"
! wanted canary || follow canary
# What this kernel is for must not be left out for want of a program or an option.
not_left_out() {
	! grep -hE "^ok [0-9]+ - ($1) # SKIP" build/log/debug-vm*.tap ||
		return
	echo "ok 1 - nothing that needs this kernel is skipped"
}
suite needed not_left_out "kunit|faults|fuzz|stress|endurance|lifecycle|transaction"
# Only of everything together: what single tests reach says nothing.
coverage() {
	if [ -n "$(left_over "${vm[@]}")" ]; then
		echo "ok 1 - coverage # SKIP not every test file was run"
	else
		selftests/coverage.sh build/log/debug-vm*/
	fi
}
[ "$want" != "  " ] || suite coverage coverage
finish
