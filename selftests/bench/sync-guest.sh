#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: sync-guest.sh
# The cases of "make bench-sync": what it costs the packet path that other nodes
# are told of a new session, and what that takes on the wire. Runs in the guest
# of sync.sh. Prints "result NAME VALUE UNIT" for each case.
# shellcheck source=selftests/bench/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"
# shellcheck source=selftests/bench/balancers.sh
. "$BENCH/balancers.sh"

# Fewer than a queue holds: the threads get no time between packets.
readonly SESSIONS=2000 WARM=1000

# The others are where this device would lead to.
link_up() {
	ip link add sync type dummy
	ip link set sync mtu 1500 multicast on up
	ip addr add 10.7.0.1/24 dev sync
}

clb_sync_on() {
	(umask 077 && openssl rand -hex 32 >"$TMP/secret")
	"$clbctl" sync start node 1 interface sync group 239.7.0.1 \
		secret "$TMP/secret"
}
ipvs_sync_on() {
	ipvsadm --start-daemon master --mcast-interface sync
}

# Bytes at the IP layer that left for the others: a dummy counts 14 more each.
wire_bytes() {
	awk '$1 == "sync:" { print $10 - 14 * $11 }' /proc/net/dev
}

clb_sent() { "$clbctl" -j sync | jq -r .sent_sessions; }

# Until nothing more is sent: the same twice in a row.
wire_settle() {
	local before=-1 i

	for ((i = 0; i < 100 && $(wire_bytes) != before; i++)); do
		before=$(wire_bytes)
		sleep 1
	done
}

# first N FIRST: packets of N flows that were not there; $insn of each.
first() { play "$1" "$2" 1 in: || failed=1; }

create() { # SYSTEM
	local plain before sent

	net_up 4
	link_up
	flows udp "$CLIENT4" "$VIP4" $((3 * SESSIONS + 3 * WARM))
	load "$1"
	"$1_service" nat udp "$VIP4" 4
	first "$WARM" 0
	first "$SESSIONS" "$WARM"
	plain=$insn
	"$1_sync_on" || exit 1
	wire_settle
	first "$WARM" $((WARM + SESSIONS))
	wire_settle
	before=$(wire_bytes)
	[ "$1" != clb ] || sent=$(clb_sent)
	first "$SESSIONS" $((2 * WARM + SESSIONS))
	echo "result $1/sync/packet-path/create $((insn - plain)) $UNIT"
	wire_settle
	sent=$(($([ "$1" = clb ] && clb_sent || echo "$SESSIONS") - ${sent:-0}))
	[ "$sent" -ge "$SESSIONS" ] || {
		say "failed: $1: $sent sessions of $SESSIONS were told"
		failed=1
	}
	awk -v b="$(($(wire_bytes) - before))" -v n="$SESSIONS" -v s="$1" \
		'BEGIN { printf "result %s/sync/wire/create %.1f bytes\n", s, b / n }'
	unload "$1"
}

# With sync on: an established packet must not know of it.
established_cost() {
	local plain

	net_up 4
	link_up
	flows udp "$CLIENT4" "$VIP4" 1000
	load clb
	clb_service nat udp "$VIP4" 4
	play 1000 0 1 in: || failed=1
	clb_ready
	settle "$PACKETS" 0 1 in: && play "$PACKETS" 0 1 in: || failed=1
	plain=$insn
	clb_sync_on || exit 1
	wire_settle
	settle "$PACKETS" 0 1 in: && play "$PACKETS" 0 1 in: || failed=1
	echo "result clb/sync/packet-path/established $((insn - plain)) $UNIT"
	unload clb
}

if [ $# -gt 0 ]; then
	"$@"		# by apart
	exit "$failed"
fi
insmod "$INJECT_KO" || exit 1
group clb/sync/packet-path/create create clb
group ipvs/sync/packet-path/create create ipvs
group clb/sync/packet-path/established established_cost
exit "$failed"
