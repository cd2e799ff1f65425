#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: check.sh [TEST...]
# Builds everything and runs the quick tests: unit tests of the tools, under
# ASan and UBSan (unit) and under valgrind (valgrind), fuzzing of the decoders
# in user space (decoders), clbd on loopback (l7), tests on this host
# (selftests/host/*), and test_*.sh in virtual machines. A TEST is one of these
# or the name of a file without test_ and suffix; default: all. The last line
# counts the cases of all: "N passed, N failed, N skipped".
#
# environment, beside what boot.sh and run.sh take:
#	VMS=2		virtual machines that share the test files, side by side
set -uo pipefail
cd "$(dirname "$(realpath "$0")")/.." || exit 1
mkdir -p build/log
# shellcheck source=selftests/suite.sh
. selftests/suite.sh
# shellcheck source=selftests/vms.sh
. selftests/vms.sh
want=" $* "

wanted() { [ "$want" = "  " ] || [[ $want == *" $1 "* ]]; }

build() {
	make -s "-j$(nproc)" all fuzzers && selftests/programs.sh &&
		echo "ok 1 - build"
}

rm -f build/log/*.tap
suite build build
[ "$failed" -eq 0 ] || finish

! wanted unit || suite unit timeout -k 10 900 make -s -C tools check
# One thread: beside the next ones.
! wanted valgrind ||
	begin valgrind timeout -k 10 1800 make -s -C tools check-valgrind
! wanted decoders || suite decoders timeout -k 10 900 selftests/fuzz/user.sh
for file in selftests/host/*; do
	name=$(basename "${file%.*}")
	! wanted "$name" || suite "$name" timeout -k 10 1800 "$file"
done
! wanted valgrind || follow valgrind
for name in "$@"; do
	[[ " unit valgrind decoders l7 " == *" $name "* ]] ||
		[ -e "selftests/test_$name.sh" ] ||
		compgen -G "selftests/host/$name.*" >/dev/null ||
		suite "$name" echo "not ok 1 - $name: no such test"
done
# It waits, most of the time: beside the machines.
! wanted l7 || begin l7 timeout -k 10 1800 selftests/l7/run.sh
# Of a machine, which begins no file after UNTIL.
last=$((${UNTIL:-0} + 1200 - EPOCHSECONDS))
export TIMEOUT=${TIMEOUT:-$((last > 2700 ? last : 2700))}
mapfile -t vm < <(wanted_tests "$@")
run_vms "${VMS:-2}" ${CLB_KO:+"CLB_KO=$CLB_KO"} -- "${vm[@]}"
! wanted l7 || follow l7
finish
