#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: l4.sh
# Instructions per packet of clb and of what one would use instead, in one
# virtual machine in which an instruction takes a nanosecond. The cases are in
# l4-guest.sh. Prints a table and writes build/bench/l4.json:
#	{"results": [{"name", "value", "unit"}, ...]}
#
# name: SYSTEM[+VARIANT]/MODE/PROTOCOL/PHASE[/DIRECTION][@SESSIONS]
# unit:	insn	instructions per packet, of a connection: of all its packets,
#		above the floor: what it takes to make, receive and drop them
#	bytes	of kernel memory per session
#	ratio	of two results
#
# environment: CASES="clb/nat/* ipvs/nat/udp/new": only these
set -euo pipefail
here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/../..")
out=$top/build/bench

"$here/build.sh"
mkdir -p "$out"
rc=0		# a case that failed has no result; the others have
ICOUNT=1 MEM=${MEM:-3G} TIMEOUT=${TIMEOUT:-3000} \
	APPEND="init_on_alloc=0 ${APPEND:-}" LOGDIR=$top/build/log/bench-l4 \
	"$here/../vm/boot.sh" bench-l4 env CASES="${CASES:-}" \
	"$here/l4-guest.sh" | tee "$out/l4.txt" || rc=$?
"$here/results.py" "$out/l4.txt" "$out/l4.json"
exit "$rc"
