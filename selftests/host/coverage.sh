#!/bin/bash
# SPDX-License-Identifier: MIT
# coverage.sh judges: enough lines are enough, and nothing else is. In place of
# the module there is a program, where check-debug would have built that. TAP.
set -uo pipefail
top=$(realpath "$(dirname "$0")/../..")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
built=$work/build/debug/kmod
mkdir -p "$built"
count=0 failed=0

result() { # 0 for passed, NAME
	local word="not ok"

	[ "$1" -ne 0 ] || word=ok
	count=$((count + 1)) failed=$((failed + ($1 != 0)))
	echo "$word $count - $2"
	[ "$1" -eq 0 ] || sed 's/^/# /' "$work/output"
}

lines() { printf '\tx++;\n%.0s' $(seq "$1"); }

source_of() { # REACHED OTHERS
	echo 'int main(int argc, char **argv)'
	echo '{'
	echo '	volatile int x = 0;'
	lines "$1"
	echo '	if (argc > 1) {'
	lines "$2"
	echo '	}'
	echo '	return 0;'
	echo '}'
}

# build REACHED OTHERS: lines that are reached, with a few more, and lines that
# are with an argument alone.
build() {
	rm -f "$built"/*
	source_of "$@" >"$built/bucket.c"
	gcc --coverage -c -o "$built/bucket.o" "$built/bucket.c" &&
		gcc --coverage -o "$built/bucket" "$built/bucket.o"
}

# run NAME [ARGUMENT]: counts are in $work/NAME.
run() {
	"$built/bucket" "${@:2}" || return
	mkdir -p "$work/$1/gcov/$built"
	mv "$built/bucket.gcda" "$work/$1/gcov/$built/"
}

judge() { # LOG...
	REPORT=$work/report "$top/selftests/coverage.sh" "$@" \
		>"$work/output" 2>&1
}

says() { # "ok" or "not ok"
	grep -qx "$1 1 - 90 % of the lines of kmod are reached" "$work/output"
}
passes() { says ok; }
fails() { says "not ok"; }

build 80 5 && run most && judge "$work/most" && passes
result "$?" "more than nine in ten are enough"
build 8994 1002 && run close && ! judge "$work/close" && fails
result "$?" "almost nine in ten are a failure"
build 80 20 && run few && ! judge "$work/few" && fails
result "$?" "fewer are one"
grep -q '^kmod/bucket.c: 85-104$' "$work/report/missing"
result "$?" "the others are listed"
run all argument && judge "$work/few" "$work/all" && passes
result "$?" "what one of two runs reached is reached"
mkdir "$work/none"
! judge "$work/none" && fails
result "$?" "no counts are a failure"
rm -f "$built"/*
! judge "$work/all" && fails
result "$?" "counts of what is gone are a failure"
echo "1..$count"
[ "$failed" -eq 0 ]
