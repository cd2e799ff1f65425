#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: check.sh [TEST...]
# Builds everything and runs the quick tests: unit tests of the tools, under
# ASan and UBSan (unit) and under valgrind (valgrind), fuzzing of the decoders
# in user space (decoders), tests on this host (selftests/host/*), and
# test_*.sh in virtual machines. A TEST is one of these or the name of a file
# without test_ and suffix; default: all. The last line counts the cases of
# all: "N passed, N failed, N skipped".
#
# environment, beside what boot.sh and run.sh take:
#	VMS=2		virtual machines that share the test files, side by side;
#			1: one does all of them, which takes twice the time
set -uo pipefail
cd "$(dirname "$(realpath "$0")")/.." || exit 1
mkdir -p build/log
# shellcheck source=selftests/suite.sh
. selftests/suite.sh
want=" $* "

wanted() { [ "$want" = "  " ] || [[ $want == *" $1 "* ]]; }

build() {
	make -s "-j$(nproc)" all fuzzers && echo "ok 1 - build"
}

rm -f build/log/*.tap
suite build build
[ "$failed" -eq 0 ] || finish

! wanted unit || suite unit timeout -k 10 900 make -s -C tools check
! wanted valgrind ||
	suite valgrind timeout -k 10 900 make -s -C tools check-valgrind
! wanted decoders || suite decoders timeout -k 10 900 selftests/fuzz/user.sh
vm=()
for file in selftests/host/*; do
	name=$(basename "${file%.*}")
	! wanted "$name" || suite "$name" timeout -k 10 900 "$file"
done
for file in selftests/test_*.sh; do
	name=$(basename "$file" .sh)
	name=${name#test_}
	! wanted "$name" || vm+=("$name")
done
for name in "$@"; do
	[[ " unit valgrind decoders " == *" $name "* ]] ||
		[ -e "selftests/test_$name.sh" ] ||
		compgen -G "selftests/host/$name.*" >/dev/null ||
		suite "$name" echo "not ok 1 - $name: no such test"
done

# Every $vms-th test file from the $1-th on, in a virtual machine.
run_vm() {
	local i names='' guest=()

	for ((i = $1; i < ${#vm[@]}; i += vms)); do
		names+=" ${vm[i]}"
	done
	guest=("TESTS=$names")
	for name in TEST_TIMEOUT CLB_SLOW CLB_KO PARTS; do
		[ -z "${!name:-}" ] || guest+=("$name=${!name}")
	done
	selftests/vm/boot.sh "vm$1" env "${guest[@]}" selftests/run.sh
}

# The output of one that was started before, as it comes, and its exit code.
follow_vm() {
	tail --pid="${pids[$1]}" -n +1 -f "build/log/vm$1.out"
	return "$(cat "build/log/vm$1.rc")"
}

export TIMEOUT=${TIMEOUT:-2700}
vms=${VMS:-2} pids=()
[ "$vms" -le "${#vm[@]}" ] || vms=${#vm[@]}
for ((i = 0; i < vms; i++)); do
	echo 1 >"build/log/vm$i.rc"
	{
		run_vm "$i" >"build/log/vm$i.out" 2>&1
		echo "$?" >"build/log/vm$i.rc"
	} &
	pids+=("$!")
done
for ((i = 0; i < vms; i++)); do
	suite "vm$i" follow_vm "$i"
done
finish
