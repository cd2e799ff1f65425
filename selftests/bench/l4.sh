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

exec "$here/record.sh" l4 "$here/icount.sh" bench-l4 \
	env CASES="${CASES:-}" "$here/l4-guest.sh"
