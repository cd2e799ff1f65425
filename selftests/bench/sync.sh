#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: sync.sh
# What session sync costs. In a virtual machine in which an instruction takes a
# nanosecond: the packet path and the wire, beside those of IPVS in the same run
# (sync-guest.sh). In User-Mode Linux, at native speed: a node that joins one that
# has a million sessions (join-guest.sh). Prints a table and writes
# build/bench/sync.json, as l4.sh does. Fails, too, where packets take longer
# meanwhile than file reach allows.
#
# name: SYSTEM/sync/packet-path/create	instructions more for a new session
#	SYSTEM/sync/wire/create		bytes at the IP layer for each
#	SYSTEM/sync/wire/connection	of TCP: for all that is told of one
#	clb/sync/flush			ms from the packet to the datagram, the
#					longest of a hundred
#	clb/sync/packet-path/established	more for a packet of one
#	clb/sync/packet-path/join@SESSIONS	ns of a packet while another node
#					joins, its making included
#	clb/sync/packet-path/join@SESSIONS:alone	the ratio to packets
#					before which no thread ran
#	clb/sync/join/time@SESSIONS	seconds from its start to its being ready
#	clb/sync/join/time+packets@SESSIONS	while packets pass all the time
#	clb/sync/join/sender@SESSIONS	seconds of the processor that the peer's
#					sending thread takes for it
#	clb/sync/join/receiver@SESSIONS	the joining node's receiving thread
#	clb/sync/join/sender-share@SESSIONS and receiver-share: of a processor,
#					while it lasts
#
# environment: CASES="clb/sync/join*": only these
#	ROUNDS=3 SESSIONS=1000000	of the node that joins
set -uo pipefail
here=$(dirname "$(realpath "$0")")

measure() {
	local rc=0

	TIMEOUT=${TIMEOUT:-1500} "$here/icount.sh" bench-sync \
		env CASES="${CASES:-}" "$here/sync-guest.sh" || rc=1
	"$here/uml.sh" bench-sync-join UNIT=ns PACKETS="${PACKETS:-200000}" \
		ROUNDS="${ROUNDS:-3}" CASES="${CASES:-}" \
		SESSIONS="${SESSIONS:-1000000}" "$here/join-guest.sh" || rc=1
	return "$rc"
}

if [ "${1:-}" = measure ]; then
	measure
	exit
fi
exec "$here/record.sh" sync "$0" measure
