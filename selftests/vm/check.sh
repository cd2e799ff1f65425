#!/bin/bash
# SPDX-License-Identifier: MIT
# Tests the test harness: a run that does not plainly succeed must fail, for
# every way in which it can go wrong.
set -uo pipefail
here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/../..")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0 failed=0

result() { # 0 for passed, NAME
	local word="not ok"

	[ "$1" -ne 0 ] || word=ok
	count=$((count + 1)) failed=$((failed + ($1 != 0)))
	echo "$word $count - $2"
	[ "$1" -eq 0 ] || sed 's/^/# /' "$work/output"
}

boot() { "$here/boot.sh" harness "$@" >"$work/output" 2>&1; }

# A run that must fail and say TEXT, as a TAP failure.
fails() { # NAME TEXT COMMAND...
	local name=$1 text=$2 rc=0

	shift 2
	! boot "$@" && grep -qE "^not ok [0-9]+ - .*$text" "$work/output" ||
		rc=1
	result "$rc" "$name"
}

# What the kernel says without memory for the cache of that name.
no_cache() {
	cat <<-LOG
	[    1.0] kmem_cache_create_usercopy($1) failed with error -12
	[    1.0] CPU: 0 PID: 7 Comm: python3 Tainted: G           O
	[    1.0] Hardware name: QEMU
	[    1.0] Call Trace:
	[    1.0]  <TASK>
	LOG
}

# And for sysctls.
no_sysctl() {
	cat <<-LOG
	[    1.0] sysctl could not get directory: /net/ipv4 -12
	[    1.0] CPU: 0 PID: 7 Comm: python3 Tainted: G           O
	[    1.0] Call Trace:
	[    1.0]  <TASK>
	[    1.0]  dump_stack_lvl+0x34/0x44
	[    1.0]  $1+0x60e/0x621
	LOG
}

no_cache clb_session | "$here/splats.sh" >"$work/output"
result "$?" "a call trace for want of memory for a cache of ours is no splat"
no_cache clb_session | grep -v Hardware | "$here/splats.sh" >"$work/output"
result "$?" "nor is it on a machine that has no name"
no_cache clb_session | sed 's/Hardware.*/Stack:\n[    1.0]  1\n[    1.0]  2/' |
	"$here/splats.sh" >"$work/output"
result "$?" "nor in User-Mode Linux, which shows its stack"
! no_cache other | "$here/splats.sh" >"$work/output"
result "$?" "for that of another it is"
! { no_cache clb_session; echo "[    1.0] Call Trace:"; } |
	"$here/splats.sh" >"$work/output"
result "$?" "the next call trace is one"

no_sysctl __register_sysctl_table | "$here/splats.sh" >"$work/output"
result "$?" "nor is one for want of memory for sysctls"
no_sysctl module_alloc | "$here/splats.sh" >"$work/output"
result "$?" "nor is one for want of memory for a module"
! { no_sysctl other; no_cache clb_session; } |
	"$here/splats.sh" >"$work/output"
result "$?" "that of another function is one"

rc=0
boot echo "ok 1 - alive" && [ "$(cat "$work/output")" = "ok 1 - alive" ] || rc=1
result "$rc" "a command that succeeds passes"

fails "a command that fails fails" "command failed" false
fails "a failed case fails" "no good" bash -c 'echo "not ok 1 - no good"; exit 1'
fails "a panic fails, whatever was said before" "kernel panic" \
	bash -c 'echo ok 1 - fine; echo c >/proc/sysrq-trigger'
fails "a guest that ends early fails" "without a verdict" \
	bash -c 'echo ok 1 - fine; busybox reboot -f'
fails "a complaint of the kernel fails" "kernel log" \
	bash -c 'echo "WARNING: suspicious RCU usage" >/dev/kmsg'
TIMEOUT=25 fails "a hang fails" "no verdict within 25 s" sleep infinity
mkdir "$work/empty"
MODROOT=$work/empty fails "a guest that does not start fails" "kernel panic" true
KERNEL=$work/none fails "no kernel fails" "no kernel" true
MEM=nonsense fails "QEMU that does not start fails" "QEMU failed" true

boot env CLB_KO=none TEST_TIMEOUT=5 "TESTDIR=$here/fixtures" \
	"$top/selftests/run.sh"
rc=$?
result "$((rc == 0))" "a suite with failures fails"
cat >"$work/want" <<-TAP
ok 1 - code: true succeeds
not ok 2 - code: exit code 3
ok 3 - code: kernel log is clean
ok 4 - early: true succeeds
not ok 5 - early: ran to its end (plan none, ran 1)
ok 6 - early: kernel log is clean
ok 7 - fail: true succeeds
not ok 8 - fail: false succeeds
ok 9 - fail: kernel log is clean
ok 10 - hang: true succeeds
not ok 11 - hang: ends within 5 s
ok 12 - hang: kernel log is clean
ok 13 - orphan: true succeeds
not ok 14 - orphan: leaves no process behind
ok 15 - orphan: kernel log is clean
ok 16 - pass: true succeeds
ok 17 - pass: false fails
ok 18 - pass: strings are equal
ok 19 - pass: a case # SKIP not here
ok 20 - pass: kernel log is clean
ok 21 - short: true succeeds
not ok 22 - short: ran to its end (plan 3, ran 1)
ok 23 - short: kernel log is clean
ok 24 - skip # SKIP not here
ok 25 - skip: kernel log is clean
ok 26 - splat: true succeeds
not ok 27 - splat: kernel log is clean
not ok 28 - vm harness: kernel log is not clean
TAP
grep -E '^(not )?ok' "$work/output" | diff "$work/want" - >"$work/diff"
rc=$?
[ "$rc" -eq 0 ] || cp "$work/diff" "$work/output"
result "$rc" "a suite says what happened to each file"

boot env CLB_KO=none "TESTDIR=$work/empty" "$top/selftests/run.sh"
result "$(($? == 0))" "a suite without tests fails"

echo "1..$count"
[ "$failed" -eq 0 ]
