#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: run.sh [FILE...]
# Runs clbd, built with ASan and UBSan, against servers and clients on loopback:
# the files below, or these. Prints TAP.
#
# environment:
#	CASES="keepalive head"	only these functions of the files
set -uo pipefail
cd "$(dirname "$(realpath "$0")")/../.." || exit 1
files=("$@")
[ "$#" -ne 0 ] ||
	files=(http1 pipes retries rules policy limits coding process checks metrics
		logs http2 h2limits h2rules control
		client_address
		real reach)
export CLBD=build/tools/san/clbd PLAIN=build/tools/clbd
export ASAN_OPTIONS=detect_stack_use_after_return=1

if ! make -s -C tools O=../build/tools/san SAN=1 ../build/tools/san/clbd; then
	echo "not ok 1 - clbd builds with sanitizers"
	exit 1
fi
rc=0
for file in "${files[@]}"; do
	echo "# $file"
	timeout -k 10 300 "selftests/l7/$file.py" || rc=1
done
exit "$rc"
