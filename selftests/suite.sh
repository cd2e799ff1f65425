# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Runs suites and adds up what they print. Sourced by check*.sh, at the top of
# the checkout. $prefix: of the names of their logs.

declare -A _begun=() _since=()
passed=0 failed=0 skipped=0
prefix=${prefix:-}

# Runs one suite and adds up its TAP. It may not fail silently, nor run
# nothing.
suite() { # NAME COMMAND...
	local name=$1 log=build/log/$prefix$1.tap rc p f s
	local since=${_since[$1]:-$SECONDS}

	shift
	echo "# === $name"
	"$@" 2>&1 | tee "$log"
	rc=${PIPESTATUS[0]}
	read -r p f s < <(awk '
		/^ok [0-9].*# SKIP/	{ s++; next }
		/^ok [0-9]/		{ p++ }
		/^not ok [0-9]/		{ f++ }
		END { print p + 0, f + 0, s + 0 }' "$log")
	if [ "$rc" -ne 0 ] && [ "$f" -eq 0 ]; then
		echo "not ok $((p + s + 1)) - $name: exit code $rc"
		f=1
	elif [ "$((p + f + s))" -eq 0 ]; then
		echo "not ok $((p + s + 1)) - $name: ran no test"
		f=1
	fi
	echo "# $name: $p passed, $f failed, $s skipped," \
		"$((SECONDS - since)) s"
	passed=$((passed + p)) failed=$((failed + f))
	skipped=$((skipped + s))
}

# begin NAME COMMAND...: a suite beside others, to be printed and counted later.
begin() {
	local log=build/log/$prefix$1

	: >"$log.out"
	rm -f "$log.over"
	echo 1 >"$log.rc"
	{
		"${@:2}" >"$log.out" 2>&1
		echo "$?" >"$log.rc"
		: >"$log.over"
	} &
	_begun[$1]=$! _since[$1]=$SECONDS
}

# What one that was begun printed, and prints until it ends.
follow() { suite "$1" _follow "$1"; }

_follow() { # NAME
	local log=build/log/$prefix$1

	# its number may be another process's when it is over
	if [ -e "$log.over" ]; then
		cat "$log.out"
	else
		tail --pid="${_begun[$1]}" -n +1 -f "$log.out"
	fi
	return "$(cat "build/log/$prefix$1.rc")"
}

# What failed, once more; the last line counts the cases of all suites: "N
# passed, N failed, N skipped".
finish() {
	awk -f selftests/failed.awk "build/log/$prefix"*.tap
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
	exit
}
