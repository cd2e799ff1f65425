#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: check.sh CANARY.ko
# Proves that a run on the debug kernel sees faults: a module makes five, each
# in a test file of its own. A case passes if the run failed just there, for
# the right reason. So does a machine fail that panics, ends early, or hangs. The
# kernel is that of the environment, as for boot.sh.
set -uo pipefail
here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/../..")
output=$(mktemp)
trap 'rm -f "$output"' EXIT
count=0 failed=0

result() { # 0 for passed, NAME
	local word="not ok"

	[ "$1" -ne 0 ] || word=ok
	count=$((count + 1)) failed=$((failed + ($1 != 0)))
	echo "$word $count - $2"
}

seen() { # FAULT TEXT NAME
	local rc=0

	grep -qE "^ok [0-9]+ - $1: fault is made$" "$output" &&
		grep -qE "^not ok [0-9]+ - $1: kernel log is clean$" "$output" &&
		awk -v name="$1" -v text="$2" '
		$0 == "# " name	{ mine = 1; next }
		/^# [a-z]+$/	{ mine = 0 }
		mine && /^# splat: / && index($0, text) { found = 1 }
		END		{ exit !found }' "$output" || rc=1
	result "$rc" "$3"
}

machine() { "$top/${BOOT:-selftests/vm/boot.sh}" "$@" >"$output" 2>&1; }

ends_badly() { # NAME TEXT COMMAND...
	local rc=0

	! machine canary-end "${@:3}" &&
		grep -qE "^not ok [0-9]+ - vm canary-end: ($2)" "$output" || rc=1
	result "$rc" "$1"
	[ "$rc" -eq 0 ] || sed 's/^/# /' "$output"
}

# This order: lockdep, and with it the check of RCU, is off after the first
# lock inversion, and after anything that KASAN reports.
machine canary env CLB_KO=none "CANARY_KO=$1" \
	"TESTDIR=$here" TESTS="rcu lock uaf shift leak" LEAKS=leak \
	"CLB_SLOW=${CLB_SLOW:-1}" "$top/selftests/run.sh"
result "$(($? == 0))" "a run with faults fails"
seen rcu "suspicious RCU usage" "misuse of RCU is seen"
seen lock "possible circular locking" "lock inversion is seen"
seen uaf "use-after-free" "use after free is seen"
seen shift "shift-out-of-bounds" "undefined behaviour is seen"
seen leak "unreferenced object" "leak is seen"
[ "$failed" -eq 0 ] || sed 's/^/# /' "$output"
# shellcheck disable=SC2016 # for sh
ends_badly "a panic fails" "kernel panic|exit code" sh -c '
	echo 1 >/proc/sys/kernel/panic_on_warn
	echo "ok 1 - fine"
	insmod "$1" fault=shift' sh "$1"
ends_badly "a guest that ends early fails" "guest ended without a verdict" \
	sh -c 'echo "ok 1 - fine"; busybox reboot -f'
TIMEOUT=25 ends_badly "a hang fails" "no verdict within 25 s" sleep infinity
echo "1..$count"
[ "$failed" -eq 0 ]
