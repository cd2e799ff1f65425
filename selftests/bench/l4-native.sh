#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: l4-native.sh
# Nanoseconds per packet of clb, IPVS and plain forwarding side by side, at
# native speed with real caches: the cases of l4-guest.sh in User-Mode Linux,
# one system after the other, and medians of several rounds. Then throughput of
# TCP (throughput.sh). Judge the ratios: all else depends on the machine.
# Prints a table and writes build/bench/l4-native.json, as l4.sh does.
#
# unit:	ns	nanoseconds per packet, above the floor
#	ratio	of two results, or of throughputs
#
# environment: ROUNDS=5 SESSIONS="1000 50000 1000000 4000000" CASES="..."
set -euo pipefail
here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/../..")
out=$top/build/bench

mkdir -p "$out"
gcc -std=gnu11 -O2 -Wall -Wextra -o "$out/memory" "$here/memory.c"
rc=0		# a case that failed has no result; the others have
export ROUNDS=${ROUNDS:-5}
SESSIONS=${SESSIONS:-1000 50000 1000000 4000000}
{
	# shellcheck disable=SC2086 # numbers are many
	[ -n "${CASES:-}" ] || "$out/memory" $SESSIONS
	"$here/uml.sh" bench-l4-native UNIT=ns PACKETS="${PACKETS:-200000}" \
		ROUNDS="$ROUNDS" CASES="${CASES:-}" \
		SESSIONS="$SESSIONS" \
		"$here/l4-guest.sh"
	[ -n "${CASES:-}" ] || "$here/uml.sh" bench-l4-throughput \
		ROUNDS="$ROUNDS" "$here/throughput.sh"
} | tee "$out/l4-native.txt" || rc=$?
"$here/results.py" "$out/l4-native.txt" "$out/l4-native.json"
exit "$rc"
