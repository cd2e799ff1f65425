#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: try.sh NAME...
# Runs the test that breakage NAME.patch names, on what check-broken.sh built of
# it, and prints "ok NAME: TEST fails: CASE" or "not ok ..." with the reason.
# For the guest of vm/boot.sh; tests of the host run where they are.
set -uo pipefail
here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/../..")
log=${TRY_LOG:-/run/clb} tree=${TREE:-}
# shellcheck source=selftests/broken/header.sh
. "$here/header.sh"

# What run.sh itself says of a file. None of it may fail unless it is what the
# breakage shall lead to.
verdicts='module (loads|unloads)$|kernel log is clean|ends within'
verdicts+='|exit code|ran to its end|no such test'

run_test() { # TEST
	local -x PARTS

	PARTS=$(header parts "$name")
	case $1 in
	unit)	make -s -C "$tree/tools" "O=$tree/build/unit" check ;;
	valgrind)	# what it finds becomes a case
		make -s -C "$tree/tools" "O=$tree/build/unit" check-valgrind 2>&1 |
			sed -E 's/^==[0-9]+== ([A-Z])/not ok 1 - \1/' ;;
	decoders)
		timeout -k 10 900 "$tree/selftests/fuzz/user.sh" ;;
	l7)
		CASES=${PARTS#* } timeout -k 10 900 \
			"$tree/selftests/l7/run.sh" "${PARTS%% *}" ;;
	abi|coverage|install|intree)
		timeout -k 10 900 "$tree/selftests/host/$1".* ;;
	*)	in_guest "$1" ;;
	esac
}

in_guest() { # TEST
	local environment=("TEST_TIMEOUT=${TEST_TIMEOUT:-300}")

	[ ! -e "$out/clb.ko" ] ||
		environment+=("CLB_KO=$out/clb.ko" "CLB_KUNIT_KO=$out/clb.ko")
	[ ! -e "$out/clbctl" ] || environment+=("CLBCTL=$out/clbctl"
		"ANNOUNCE=$out/clb-announce")
	env "${environment[@]}" "STOP_AT=${case##*$'\n'}" "$top/selftests/run.sh" "$1"
}

# judge OUTPUT: silent if the named cases failed and nothing else went wrong.
judge() {
	local failed bad one passed=''

	failed=$(grep -E '^not ok [0-9]' "$1" |
		sed -E "s/^not ok [0-9]+ - ($test: )?//")
	bad=$(grep -E "^($verdicts)" <<<"$failed" | grep -vE -- "$case")
	while IFS= read -r one; do
		grep -qE -- "$one" <<<"$failed" || passed=yes
	done <<<"$case"
	# to leave the kernel in disorder is what these are for
	[ -z "$(header machine "$name")" ] || bad=
	if [ -n "$bad" ]; then
		echo "went wrong: $bad"
	elif [ -z "$passed" ]; then
		return 0
	elif [ -n "$failed" ]; then
		echo "other cases fail: $failed"
	else
		echo "every case passes"
	fi
	grep -vE '^ok ' "$1" | tail -n 20
}

try() {
	local began=$SECONDS why

	echo "# try $name"
	run_test "$test" >"$log/$name.tap" 2>&1
	why=$(judge "$log/$name.tap")
	if [ -z "$why" ]; then
		echo "ok $name: $test fails: ${case//$'\n'/, }"
	else
		echo "not ok $name: $test fails: ${case//$'\n'/, }"
		echo "# ${why//$'\n'/$'\n'# }"
	fi
	echo "# $((SECONDS - began)) s"
}

for name in "$@"; do
	out=$top/build/broken/$name
	test=$(header test "$name") case=$(header case "$name")
	try
done
