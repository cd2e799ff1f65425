#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: sync-guest.sh
# The cases of "make bench-sync": what it costs the packet path that other nodes
# are told of a new session, what that takes on the wire, and how soon they are.
# Runs in the guest of sync.sh. Prints "result NAME VALUE UNIT" for each case.
# shellcheck source=selftests/bench/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"
# shellcheck source=selftests/bench/balancers.sh
. "$BENCH/balancers.sh"

# Fewer than a queue holds, for the threads get no time between packets; after so
# many that the table need not grow for them.
readonly SESSIONS=2000 WARM=3500

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
clb_sync_off() { "$clbctl" sync stop; }
# By itself it waits for the third packet of a UDP flow.
ipvs_sync_on() {
	sysctl -qw net.ipv4.vs.sync_threshold="1 50"
	ipvsadm --start-daemon master --mcast-interface sync
}
ipvs_sync_off() { ipvsadm --stop-daemon master; }

# Bytes at the IP layer that left for the others: a dummy counts 14 more each.
wire_bytes() {
	awk '$1 == "sync:" { print $10 - 14 * $11 }' /proc/net/dev
}

clb_sent() { "$clbctl" -j sync | jq -r .sent_sessions; }

# Until nothing more is sent, but for heartbeats.
wire_settle() {
	local before=-1000 i

	for ((i = 0; i < 100 && $(wire_bytes) > before + 600; i++)); do
		before=$(wire_bytes)
		sleep 3
	done
}

# first N FIRST: packets of N flows that were not there; $insn of each.
first() { play "$1" "$2" 1 in: || failed=1; }

# A balancer from its start on, so that its table grows alike with and without.
run() { # SYSTEM SYNC: "on" or "off"
	load "$1"
	"$1_service" nat udp "$VIP4" 4
	[ "$2" = off ] || "$1_sync_on" || exit 1
	first "$WARM" 0
	"$1_ready"
	[ "$2" = off ] || wire_settle
	before=$(wire_bytes)
	[ "$1 $2" != "clb on" ] || sent=$(clb_sent)
	first "$SESSIONS" "$WARM"
	[ "$2" = off ] || wire_settle
}

create() { # SYSTEM
	local plain before sent=0

	net_up 4
	link_up
	flows udp "$CLIENT4" "$VIP4" $((SESSIONS + WARM))
	run "$1" off
	plain=$insn
	unload "$1"
	run "$1" on
	echo "result $1/sync/packet-path/create $((insn - plain)) $UNIT"
	if [ "$1" = clb ] && [ $(($(clb_sent) - sent)) -lt "$SESSIONS" ]; then
		say "failed: $(($(clb_sent) - sent)) sessions of $SESSIONS were told"
		failed=1
	fi
	bytes_each "$1/sync/wire/create" "$before"
	"$1_sync_off"
	unload "$1"
}

# bytes_each NAME BEFORE: what each session took since then.
bytes_each() {
	awk -v b="$(($(wire_bytes) - $2))" -v n="$SESSIONS" -v name="$1" \
		'BEGIN { printf "result %s %.1f bytes\n", name, b / n }'
}

# Connections, all of them in step, three times until nothing is left to be said:
# they are established, one side has closed, both have.
connection() { # SYSTEM
	local before steps sent

	net_up 4
	link_up
	flows tcp "$CLIENT4" "$VIP4" "$SESSIONS"
	load "$1"
	"$1_service" nat tcp "$VIP4" 4
	"$1_sync_on" || exit 1
	wire_settle
	before=$(wire_bytes)
	[ "$1" != clb ] || sent=$(clb_sent)
	inject learn 1
	for steps in "in:S out:SA in:A" "in:PA out:A out:PA in:A in:FA" \
		"out:FA in:A"; do
		# shellcheck disable=SC2086 # steps are many
		play "$SESSIONS" 0 1 $steps || failed=1
		wire_settle
	done
	inject learn 0
	if [ "$1" = clb ] && [ $(($(clb_sent) - sent)) -lt $((3 * SESSIONS)) ]; then
		say "failed: $(($(clb_sent) - sent)) words on $SESSIONS connections"
		failed=1
	fi
	bytes_each "$1/sync/wire/connection" "$before"
	"$1_sync_off"
	unload "$1"
}

# From a packet to the datagram that tells of its session.
flush() {
	local longest

	net_up 4
	link_up
	flows udp "$CLIENT4" "$VIP4" 200
	load clb
	clb_service nat udp "$VIP4" 4
	clb_sync_on || exit 1
	first 100 0
	wire_settle
	longest=$("$BENCH/flush.py" sync 100 100) || exit 1
	echo "result clb/sync/flush $longest ms"
	unload clb
}

# The least of many short runs: in some of them nobody else had the processor,
# not for a tick of the clock.
established_insn() {
	local least=0 i

	settle 1000 0 1 in: || failed=1
	for ((i = 0; i < 50; i++)); do
		play 1000 0 1 in: || failed=1
		[ "$least" -ne 0 ] && [ "$insn" -ge "$least" ] || least=$insn
	done
	insn=$least
}

# With sync on: an established packet must not know of it. First with sync, then
# without: the group has become a neighbour, among which those of servers are found.
established_cost() {
	local with

	net_up 4
	link_up
	flows udp "$CLIENT4" "$VIP4" 1000
	load clb
	clb_service nat udp "$VIP4" 4
	play 1000 0 1 in: || failed=1
	clb_ready
	clb_sync_on || exit 1
	wire_settle
	established_insn
	with=$insn
	clb_sync_off
	established_insn
	echo "result clb/sync/packet-path/established $((with - insn)) $UNIT"
	unload clb
}

if [ $# -gt 0 ]; then
	"$@"		# by apart
	exit "$failed"
fi
inject_load
group clb/sync/packet-path/create create clb
group ipvs/sync/packet-path/create create ipvs
group clb/sync/wire/connection connection clb
group ipvs/sync/wire/connection connection ipvs
group clb/sync/packet-path/established established_cost
group clb/sync/flush flush
exit "$failed"
