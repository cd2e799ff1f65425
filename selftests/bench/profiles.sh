#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: profiles.sh
# Where the instructions of some cases of l4-guest.sh go, above their floor and
# function by function: writes build/bench/profile.json, {CASE: {FUNCTION: N}},
# for report.py. "make" first.
#
# environment: PACKETS=20000
set -euo pipefail
here=$(dirname "$(realpath "$0")")
out=$here/../../build/bench/profile
cases=(clb/nat/{ud,tc}p/established/in clb/dr/{ud,tc}p/established/in)

# profile CASE: its table, in a file whose name is printed
profile() {
	local file=$out/${1//\//-}

	"$here/profile.sh" "$1" >"$file" 2>"$file.log" || {
		cat "$file.log" >&2
		return 1
	}
	echo "$file"
}

mkdir -p "$out"
for case_ in "${cases[@]}"; do
	protocol=${case_#clb/*/}
	file=$(profile "$case_@1000")
	floor=$(profile "floor/$protocol@1000")
	echo "$case_ $file $floor"
	echo "profiled $case_" >&2
done | "$here/profile_report.py" >"$out.json"
