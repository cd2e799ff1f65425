#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: run.sh [TEST...]
# Runs the test files test_*.sh one after the other, each with a freshly
# loaded module, and prints one TAP stream. For the guest of vm/boot.sh. A
# TEST is a file's name without test_ and suffix; default: all of them.
#
# A test file prints TAP and a plan (see lib.sh) and ends with 0, 1 or 4 (skip
# the whole file). Whatever else happens to it is one more "not ok": no plan,
# a wrong plan, an exit code that does not fit, its time used up, a module
# that does not unload, a fault in the kernel log.
#
# environment:
#	TESTS="nat smoke"	the same as arguments
#	TESTDIR=dir		where test_*.sh are; default: this directory
#	TEST_TIMEOUT=900	seconds for one file
#	CLB_KO=file		the module, default kmod/clb.ko; "none": no module
#	CLB_SLOW=1		factor for all times, for slow kernels
#	PARTS="a b"		only these parts of the files (see part in them)
#	STOP_AT=regex		a failed case of such a name ends its file
#	LEAKS="faults stress"	files after which leaks are looked for at once,
#				which takes long; for the others guest.sh does, at
#				the end of all; "all": after each
#	CLAIMS=dir		shared with others that have the same TESTS: runs
#				those that no other has begun with
#	UNTIL=seconds		since 1970: no file begins later
#	THREADS=multi		as boot.sh has it
set -uo pipefail
here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/module.sh
. "$here/module.sh"
# shellcheck source=selftests/vm/faults.sh
. "$here/vm/faults.sh"
testdir=${TESTDIR:-$here}
timeout=$((${TEST_TIMEOUT:-900} * ${CLB_SLOW:-1}))
count=0 failed=0

if [ -z "${CLB_GUEST:-}" ]; then
	echo "run.sh: loads kernel modules: use selftests/vm/boot.sh" >&2
	exit 1
fi
keep=$(mktemp -d)
mkfifo "$keep/output"

result() { # "ok" or "not ok", name
	count=$((count + 1))
	[ "$1" = ok ] || failed=$((failed + 1))
	echo "$1 $count - $2"
}

# Gives the cases of a file their numbers in the whole stream and the name of
# the file; the plan becomes a check, all other output a comment.
renumber() { # name, file for the totals
	awk -v name="$1" -v n="$count" -v totals="$2" '
	/^1\.\.[0-9]+/	 { plan = substr($1, 4); planned = 1; next }
	/^# skipped: /	 { why = " " substr($0, 12) }
	/^(not )?ok [0-9]/ {
		bad = /^not/
		sub(/^(not )?ok [0-9]+( - )?/, "")
		printf "%s %d - %s: %s\n", bad ? "not ok" : "ok", ++n, name, $0
		fflush(); seen++; fails += bad; next
	}
			 { if (!/^#/) $0 = "# " $0; print; fflush() }
	END {
		print seen + 0, fails + 0, planned ? plan : "none", why >totals
	}'
}

# What a file prints is read to its end, which comes when nobody can write any
# more. Who still can when the file itself is over was forgotten by it.
await_reader() { # PROCESS
	timeout $((5 * ${CLB_SLOW:-1})) tail --pid="$1" -s 0.1 -f /dev/null && return
	find /proc/[0-9]*/fd -lname "$keep/output" -perm -200 -printf '%h\n' \
		2>/dev/null | cut -d / -f 3 | xargs -r kill -9
	wait "$1"
	return 1
}

# No process and no namespace of a test outlives it.
sweep() {
	local ns

	ip netns list | awk '{print $1}' | while read -r ns; do
		ip netns pids "$ns" | xargs -r kill -9
		ip netns del "$ns"
	done
}

# The kernel patches a jump label whenever the first hook of a kind comes and the
# last one goes. QEMU, with a thread for each processor, can go on executing the
# breakpoint that was there meanwhile, for ever. With such hooks elsewhere, none is
# patched. Not by a namespace with a name, which would end with a test.
hold_labels() {
	unshare -n bash -c 'nft -f - && exec sleep infinity' <<-NFT >/dev/null &
	table inet hold {
		chain in { type filter hook prerouting priority 0; }
		chain out { type filter hook output priority 0; }
	}
	table netdev hold {
		chain in { type filter hook ingress device lo priority 0; }
	}
	NFT
}

leaks_wanted() { # name
	[[ " ${LEAKS:-} " == *" $1 "* ]] || [ "${LEAKS:-}" = all ]
}

# The kernel log goes to one file; a fault in it, a leak included, belongs to
# this test. Leaks are looked for after the module has gone, and with it all
# that it may still refer to.
kernel_log_clean() { # name
	local splats

	: >"$keep/leaks"
	! leaks_wanted "$1" || report_leaks >"$keep/leaks"
	dmesg -c | cat - "$keep/leaks" >"$keep/dmesg"
	cat "$keep/dmesg" >>/run/clb/dmesg
	if ! splats=$("$here/vm/splats.sh" "$keep/dmesg"); then
		echo "$splats" | head -n 40 | sed 's/^/# splat: /'
		return 1
	fi
}

run_file() { # file
	local name rc reader forgotten=0 seen fails plan why

	name=$(basename "$1" .sh)
	name=${name#test_}
	if [ "$EPOCHSECONDS" -ge "${UNTIL:-9999999999}" ]; then
		# by the clock of this machine
		[ -z "${CLAIMS:-}" ] || : >"$CLAIMS/.late"
		return
	fi
	[ -z "${CLAIMS:-}" ] || mkdir "$CLAIMS/$name" 2>/dev/null || return 0
	echo "# $name"
	SECONDS=0
	if ! clb_module_load; then
		result "not ok" "$name: module loads"
		return
	fi
	renumber "$name" "$keep/totals" <"$keep/output" &
	reader=$!
	timeout -k 10 "$timeout" bash "$1" >"$keep/output" 2>&1
	rc=$?
	sweep
	await_reader "$reader" || forgotten=1
	read -r seen fails plan why <"$keep/totals"
	count=$((count + seen)) failed=$((failed + fails))
	[ "$forgotten" -eq 0 ] ||
		result "not ok" "$name: leaves no process behind"
	case $rc in
	0|1)
		if [ "$plan" != "$seen" ]; then
			result "not ok" "$name: ran to its end (plan $plan, ran $seen)"
		elif [ "$rc" -ne "$((fails > 0))" ]; then
			result "not ok" "$name: exit code $rc with $fails failures"
		fi ;;
	4)	result ok "$name # SKIP $why" ;;
	124|137) result "not ok" "$name: ends within $timeout s" ;;
	*)	result "not ok" "$name: exit code $rc" ;;
	esac
	if ! clb_module_unload; then
		result "not ok" "$name: module unloads"
	fi
	if kernel_log_clean "$name"; then
		result ok "$name: kernel log is clean"
	else
		result "not ok" "$name: kernel log is clean"
	fi
	echo "# $name took $SECONDS s"
}

[ $# -eq 0 ] || TESTS="$*"
files=()
if [ -n "${TESTS:-}" ]; then
	for t in $TESTS; do
		if [ -e "$testdir/test_$t.sh" ]; then
			files+=("$testdir/test_$t.sh")
		else
			result "not ok" "$t: no such test"
		fi
	done
else
	for f in "$testdir"/test_*.sh; do
		[ ! -e "$f" ] || files+=("$f")
	done
	[ "${#files[@]}" -gt 0 ] || result "not ok" "no tests in $testdir"
fi
kernel_log_clean before || result "not ok" "kernel log is clean before the tests"
[ "${THREADS:-}" != multi ] || [ "$(nproc)" = 1 ] || hold_labels
for f in "${files[@]}"; do
	run_file "$f"
done
[ -z "${CLAIMS:-}" ] || [ "$count" -gt 0 ] ||
	result ok "nothing was left to run, or no time"
echo "1..$count"
rm -rf "$keep"
[ "$failed" -eq 0 ]
