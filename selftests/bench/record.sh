#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: record.sh NAME COMMAND [ARGUMENT...]
# Runs a benchmark: keeps what it prints in build/bench/NAME.txt, makes
# build/bench/NAME.json of its results and prints them as a table (results.py).
# A case that failed has no result; the others have, and the exit code is that of
# the benchmark. Where CASES says that only some are run, it is NAME-some.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
out=$here/../../build/bench/$1${CASES:+-some}

mkdir -p "${out%/*}"
rc=0
"${@:2}" | tee "$out.txt" || rc=$?
"$here/results.py" "$out.txt" "$out.json"
exit "$rc"
