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
set -uo pipefail
here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/../..")
export ROUNDS=${ROUNDS:-5}
SESSIONS=${SESSIONS:-1000 50000 1000000 4000000}

# What memory takes, before the packets and behind them.
limits() { # MEMORY
	# shellcheck disable=SC2086 # numbers are many
	"$1" $SESSIONS
}

measure() {
	local memory=$top/build/bench/memory rc=0

	if [ -z "${CASES:-}" ]; then
		gcc -std=gnu11 -O2 -Wall -Wextra -o "$memory" \
			"$here/memory.c" || return
		limits "$memory" || rc=1
	fi
	"$here/uml.sh" bench-l4-native UNIT=ns PACKETS="${PACKETS:-200000}" \
		ROUNDS="$ROUNDS" CASES="${CASES:-}" SESSIONS="$SESSIONS" \
		"$here/l4-guest.sh" || rc=1
	[ -n "${CASES:-}" ] || limits "$memory" || rc=1
	[ -n "${CASES:-}" ] || "$here/uml.sh" bench-l4-throughput \
		ROUNDS="$ROUNDS" "$here/throughput.sh" || rc=1
	return "$rc"
}

if [ "${1:-}" = measure ]; then
	measure
	exit
fi
exec "$here/record.sh" l4-native "$0" measure
