#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: coverage.sh LOG...
# Prints and judges how much of the module the runs with these logs reached
# (coverage.py): at least LEAST=90 % of the lines. The report is in
# REPORT=build/coverage.
set -uo pipefail
cd "$(dirname "$(realpath "$0")")/.." || exit 1
least=${LEAST:-90}

logs=()
for log in "$@"; do
	[ ! -d "$log/gcov" ] || logs+=("$log")
done
out=$(selftests/coverage.py "${REPORT:-build/coverage}" "${logs[@]}")
rc=$?
awk '{ print "#", $0 }' <<<"$out"
percent=$(sed -n 's/^covered: \([0-9]*\)\..*/\1/p' <<<"$out")
if [ "$rc" -eq 0 ] && [ "${percent:-0}" -ge "$least" ]; then
	echo "ok 1 - $least % of the lines of kmod are reached"
else
	echo "not ok 1 - $least % of the lines of kmod are reached"
	exit 1
fi
