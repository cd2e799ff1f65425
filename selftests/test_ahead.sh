#!/bin/bash
# SPDX-License-Identifier: MIT
# Packets that wait in the queue of a processor: what is seen of them ahead of
# their turn (kmod/ahead.c) changes nothing for any of them, nor that their
# sessions come and go meanwhile. RPS gives all that the node receives to one
# processor; the other one sends. Topology: lib.sh.
. "$(dirname "$0")/lib.sh"

FLOOD_BIN=${FLOOD_BIN:-$TOP/build/flood}
FLOWS=6000	# so many that the table is not a small one
KEY=(udp "$VIP4:99")
SINK=198.51.100.200	# frames for it go nowhere

topo_up 1 || exit 1

# Longer than what is sent: nothing is lost at its end. A kernel for one
# processor has no other's queue to put packets into.
queue_up() {
	sysctl -qw net.core.netdev_max_backlog=$((10 * FLOWS)) &&
		{ [ "$(nproc)" -eq 1 ] || in_node sh -c \
			'echo 1 >/sys/class/net/front/queues/rx-0/rps_cpus'; } &&
		ip -n "$NS-node" neigh add "$SINK" lladdr 02:00:00:00:00:99 \
			dev back nud permanent
}
backlog=$(sysctl -n net.core.netdev_max_backlog)

# rounds N: each flow sends N packets, all flows in turn.
rounds() {
	local i

	for ((i = 0; i < $1; i++)); do
		in_client taskset -c "$(($(nproc) - 1))" "$FLOOD_BIN" udp \
			"$VIP4" 99 "$FLOWS" 10.30.0.1 "$FLOWS" || return
	done
}

# Packets that came to the server's sessions, and how many these are.
packets() { clb_get '.[].in_packets' server show "${KEY[@]}"; }
sessions() { clb_get .count session count; }
came() { [ "$(packets)" -ge "$1" ]; }
large() { [ "$(stat_of table_buckets)" -gt $((2 * 4096)) ]; }

# How often the processor that RPS gives to was told so.
given() { echo $((16#$(awk 'NR == 1 { print $10 }' /proc/net/softnet_stat))); }

ok "a queue" queue_up
ok "a listener" clb listener add "${KEY[@]}"
ok "a server" clb server add "${KEY[@]}" "$SINK:99"

before=$(given)
ok "flows" rounds 1
ok "all came" wait_for 30 came "$FLOWS"
is "each has a session" "$(sessions)" "$FLOWS"
if [ "$(nproc)" -gt 1 ]; then
	ok "by the other processor's queue" [ "$(given)" -gt "$before" ]
else
	skip "by the other processor's queue" "there is none"
fi
ok "the table is no small one" wait_for 30 large

ok "more packets of each" rounds 5
ok "all came" wait_for 30 came $((6 * FLOWS))
is "and found their sessions" "$(sessions)" "$FLOWS"

sessions_go() {
	local _exec=	# more than one command

	while [ ! -e "$TMP/enough" ]; do
		clb session del listener "${KEY[@]}"
	done
}
spawn sessions_go
going=$spawned
ok "packets while sessions are ended" rounds 10
: >"$TMP/enough"
wait "$going"
ok "all came" wait_for 30 came $((16 * FLOWS))
ok "one more of each" rounds 1
ok "all came" wait_for 30 came $((17 * FLOWS))
is "none came twice" "$(packets)" $((17 * FLOWS))
is "each has one session" "$(sessions)" "$FLOWS"
sysctl -qw net.core.netdev_max_backlog="$backlog"
done_testing
