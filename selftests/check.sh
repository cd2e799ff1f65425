#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: check.sh [TEST...]
# Builds everything and runs the quick tests: unit tests of the tools, tests
# on this host (selftests/host/*), and test_*.sh in one virtual machine. A
# TEST is "unit" or the name of a file without test_ and suffix; default: all.
# The last line counts the cases of all: "N passed, N failed, N skipped".
# What boot.sh and run.sh take from the environment may be given here.
set -uo pipefail
cd "$(dirname "$(realpath "$0")")/.." || exit 1
mkdir -p build/log
# shellcheck source=selftests/suite.sh
. selftests/suite.sh
want=" $* "

wanted() { [ "$want" = "  " ] || [[ $want == *" $1 "* ]]; }

build() {
	make -s "-j$(nproc)" all && echo "ok 1 - build"
}

rm -f build/log/*.tap
suite build build
[ "$failed" -eq 0 ] || finish

! wanted unit || suite unit timeout -k 10 900 make -s -C tools check
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
	[ "$name" = unit ] || [ -e "selftests/test_$name.sh" ] ||
		compgen -G "selftests/host/$name.*" >/dev/null ||
		suite "$name" echo "not ok 1 - $name: no such test"
done
if [ "${#vm[@]}" -gt 0 ]; then
	guest=("TESTS=${vm[*]}")
	for name in TEST_TIMEOUT CLB_SLOW CLB_KO; do
		[ -z "${!name:-}" ] || guest+=("$name=${!name}")
	done
	export TIMEOUT=${TIMEOUT:-1200}
	suite vm selftests/vm/boot.sh vm env "${guest[@]}" selftests/run.sh
fi
finish
