#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: sync.sh
# What session sync costs the packet path and the wire, beside that of IPVS in
# the same run, in a virtual machine in which an instruction takes a nanosecond.
# The cases are in sync-guest.sh. Prints a table and writes
# build/bench/sync.json, as l4.sh does.
#
# name: SYSTEM/sync/packet-path/create	instructions more for a new session
#	SYSTEM/sync/wire/create		bytes at the IP layer for each
#	clb/sync/packet-path/established	more for a packet of one
set -euo pipefail
here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/../..")
out=$top/build/bench

"$here/build.sh"
mkdir -p "$out"
rc=0
ICOUNT=1 MEM=${MEM:-2G} TIMEOUT=${TIMEOUT:-1500} \
	APPEND="init_on_alloc=0 ${APPEND:-}" LOGDIR=$top/build/log/bench-sync \
	"$here/../vm/boot.sh" bench-sync env CASES="${CASES:-}" \
	"$here/sync-guest.sh" | tee "$out/sync.txt" || rc=$?
"$here/results.py" "$out/sync.txt" "$out/sync.json"
exit "$rc"
