#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: l4.sh
# Instructions per packet of clb and of what one would use instead, in one
# virtual machine in which an instruction takes a nanosecond (l4-guest.sh).
# Prints a table and writes build/bench/l4.json:
#	{"results": [{"name", "value", "unit"}, ...]}
# name: SYSTEM/MODE/PROTOCOL/PHASE[/DIRECTION][@SESSIONS]
# unit: insn: instructions per packet above the floor, which is what pktgen
# and a drop at the ingress hook take
set -euo pipefail
here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/../..")
out=$top/build/bench

mkdir -p "$out"
ICOUNT=1 MEM=${MEM:-3G} TIMEOUT=${TIMEOUT:-3000} \
	APPEND="init_on_alloc=0 ${APPEND:-}" LOGDIR=$top/build/log/bench-l4 \
	"$here/../vm/boot.sh" bench-l4 env CASES="${CASES:-}" \
	"$here/l4-guest.sh" | tee "$out/l4.txt"
awk '$1 == "result" { print $2, $3, $4 }' "$out/l4.txt" |
	jq -Rn '{results: [inputs | split(" ") |
		{name: .[0], value: (.[1] | tonumber), unit: .[2]}]}' \
	>"$out/l4.json"
echo "wrote ${out#"$top"/}/l4.json"
