#!/bin/bash
# SPDX-License-Identifier: MIT
# Session sync among three nodes over a link that loses, doubles and reorders what
# is sent, and that is cut: the tables of all nodes are listed and compared.
. "$(dirname "$0")/lib.sh"
# shellcheck source=selftests/nodes.sh
. "$SELFTESTS/nodes.sh"

nodes_up 3 && start_raw || exit 1

# Every datagram on its way to a node has its own luck.
link_bad() {
	local node

	for node in $NODES; do
		ip netns exec "$NS-net" tc qdisc add dev "$node-sync" root \
			netem delay 2ms 2ms loss 5% duplicate 5% reorder 25% ||
			return
	done
}
link_good() {
	local node

	for node in $NODES; do
		ip netns exec "$NS-net" tc qdisc del dev "$node-sync" root
	done
}

# Sessions begin at this node, half of TCP, which is used, and end there or by
# hand at another. Those of TCP are of IPv6 at the second node, and of UDP it is
# half.
change() { # NUMBER HOW-MANY
	local vip=$VIP4

	[ "$1" != 2 ] || vip=$VIP6
	via "$1"
	tell client open "n$1" "$vip" "$ECHO_PORT" $(($2 / 2)) >"$TMP/open"
	udp_from 192.0.2.20 $((10000 + 1000 * $1)) $(($2 / 4))
	udp_from 2001:db8:c::20 $((10000 + 1000 * $1)) $(($2 / 4))
	tell client ping "n$1" >"$TMP/ping"
}

# udp_from CLIENT PORT HOW-MANY: one datagram from each of its ports from there on.
udp_from() {
	local vip=$VIP4

	[ "${1#*:}" = "$1" ] || vip=$VIP6
	tell raw udp "$vip" "$UDP_PORT" "$3" "$1" "$2" >"$TMP/udp"
}

config_all() {
	local f vip vip_host

	config nat || return
	for f in 4 6; do
		vip_of "$f"
		on_all listener add udp "$vip_host:$UDP_PORT" \
			timeout-udp 600 scheduler rr &&
			on_all server add udp "$vip_host:$UDP_PORT" \
				"$("server$f" 1)" &&
			on_all server add udp "$vip_host:$UDP_PORT" \
				"$("server$f" 2)" || return
	done
}

# Some of the lists that are begun within 2 s agree, or on slow kernels some that
# are begun later. They are compared when all are there, as that takes longer.
equal_soon() { # NAME HOW-MANY
	local t begun=0

	if [ "$SLOW" -gt 1 ]; then
		ok "$1: three tables are equal" wait_for 10 tables_equal "$2"
		return
	fi
	t=$(now_ms)
	wait_for 10 all_listed
	ok "$1: three tables are equal, in two seconds" some_agree "$2"
	! last_ok || diag "$1: so said lists that were begun after $begun ms"
	rm -f "$TMP"/list.[0-9]*
}
all_listed() { # once more; the time is over
	tables_list "$begun"
	begun=$(($(now_ms) - t))
	[ "$begun" -gt 2000 ]
}
some_agree() { # HOW-MANY: $begun says when
	local lists

	lists=$(cd "$TMP" && printf '%s\n' list.[0-9]*.node | cut -d . -f 2 |
		sort -n)
	for begun in $lists; do
		! tables_agree "$begun" "$1" || return 0
	done
	return 1
}

test_loss() {
	local many i more words nodes

	read -ra nodes <<<"$NODES"
	many=$(size 400 80)
	config_all
	ok "the link is bad" link_bad
	ok "sync starts at three nodes" cluster_up
	ok "they hear each other" wait_for 20 hear_each_other
	for i in 1 2 3; do
		change "$i" "$many"
	done
	equal_soon "$((3 * many)) sessions began at three nodes" $((3 * many))
	# shellcheck disable=SC2086 # each its own word
	ok "datagrams are missing" miss_some "$VIP4" $NODES
	equal_soon "although datagrams were missing" $((3 * many + more))
	via 2
	is "connections go on at another node" \
		"$(tell client ping n1) $(tell client ping n3)" \
		"$((many / 2)) $((many / 2))"
	tell client close n3 rst >"$TMP/close"
	ok "those of UDP are ended by hand at another" on node3 session del \
		listener udp "$VIP4:$UDP_PORT"
	ok "and those of IPv6" on node3 session del \
		listener udp "[$VIP6]:$UDP_PORT"
	equal_soon "much has ended" $((many * 3 / 2 + more))
	ok "datagrams came early, and waited" \
		[ "$(sum_of early "${nodes[@]}")" -gt 0 ]
	words=$(sum_of sent_sessions "${nodes[@]}")
	ok "little was said again: each session some twenty times at most" \
		[ "$words" -le $((20 * (3 * many + more))) ]
	diag "$words words on $((3 * many + more)) sessions"
	tell client close n1 rst >"$TMP/close"
	tell client close n2 rst >"$TMP/close"
	link_good
	cluster_down
	on_all session del
}

# One node is cut off for as long as the others take it for dead.
test_cut() {
	config_all
	cluster_up
	ok "they hear each other again" wait_for 20 hear_each_other
	change 1 20
	equal_soon "before the cut" 20
	ip -n "$NS-node3" link set sync down
	ok "a node that is cut off is dead to the others" \
		wait_for 20 peers_of node 1
	ok "and they are to it" wait_for 20 peers_of node3 0
	change 2 40
	change 3 60
	ok "none of them knows what the other side has" \
		wait_for 10 have 60 60 80
	ip -n "$NS-node3" link set sync up
	ok "united, they hear each other" wait_for 20 hear_each_other
	equal_soon "united" 120
	via 1
	is "connections of both sides go on at one node" \
		"$(tell client ping n2) $(tell client ping n3)" "20 30"
	cluster_down
}

# The same flows at three nodes that do not hear each other, each with its own
# thoughts of where they should go.
test_conflict() {
	local at ended

	config_all
	cluster_up
	ok "before a conflict they hear each other" wait_for 20 hear_each_other
	ip -n "$NS-node2" link set sync down
	ip -n "$NS-node3" link set sync down
	for at in 1 2 3; do
		via "$at"
		# servers take turns: here the flows begin with another one
		[ "$at" != 2 ] || udp_from 192.0.2.20 9000 1
		[ "$at" != 2 ] || udp_from 2001:db8:c::20 9000 1
		udp_from 192.0.2.20 10000 20
		udp_from 2001:db8:c::20 10000 20
	done
	ok "each has sent them" wait_for 10 have 40 42 40
	is "two of them do not agree on any server" \
		"$( (way_of node && way_of node2) | sort | uniq -d)" ""
	is "a third one took the servers of the first" "$(way_of node3)" \
		"$(way_of node)"
	ip -n "$NS-node2" link set sync up
	ip -n "$NS-node3" link set sync up
	ok "after it they hear each other" wait_for 20 hear_each_other
	equal_soon "when they meet again" 42
	# shellcheck disable=SC2086 # each its own word
	ended=$(sum_of ended $NODES)
	ok "each flow's older sessions were ended ($ended)" [ "$ended" -ge 80 ]
	cluster_down
	on_all session del
}
# NODE: where its flows go.
way_of() {
	on "$1" -j session | jq -r '.[] | select(.client_port >= 10000) |
		"\(.client_address) \(.client_port) \(.server_address)"' | sort
}
have() { [ "$(known node) $(known node2) $(known node3)" = "$*" ]; }

# A node that has not heard that sessions were ended says what it believes.
test_ended() {
	config nat && cluster_up
	ok "once more they hear each other" wait_for 20 hear_each_other
	via 1
	tell client open e "$VIP4" "$ECHO_PORT" 5 >"$TMP/open"
	equal_soon "before the end" 5
	ok "the first node does not hear the third any more" \
		deaf node 10.7.0.3
	ok "the third ends them by hand" on node3 session del
	ok "the second one hears of it" wait_for 10 knows node2 0
	is "the first has not" "$(known node)" 5
	tell client close e >"$TMP/close"
	ok "what it says of them the second refuses" \
		wait_for 10 counter_above node2 refused_ended 4
	ok "and so does the third" \
		wait_for 10 counter_above node3 refused_ended 4
	ok "the first is told of their end by the second" \
		wait_for 10 counter_above node ended 4
	is "nobody has them any more" \
		"$(known node) $(known node2) $(known node3)" "0 0 0"
	ip netns exec "$NS-node" nft delete table inet deaf
	cluster_down
}
# What a node did not hear of one that dies, another gives it.
test_orphans() {
	config nat && cluster_up
	ok "for the last time they hear each other" wait_for 20 hear_each_other
	via 3
	tell client open o "$VIP4" "$ECHO_PORT" 5 >"$TMP/open"
	equal_soon "before" 5
	ok "the first node does not hear the third any more" \
		deaf node 10.7.0.3
	tell client open p "$VIP4" "$ECHO_PORT" 5 >"$TMP/open"
	ok "the second hears of five more" wait_for 10 knows node2 10
	is "the first does not" "$(known node)" 5
	ip -n "$NS-node3" link set sync down
	ip netns exec "$NS-node" nft delete table inet deaf
	via 1
	ok "the third is dead, and the first gets them from the second" \
		wait_for 40 knows node 10
	is "connections go on there" "$(tell client ping p)" 5
	ip -n "$NS-node3" link set sync up
	cluster_down
}
# One that is heard, but hears nothing, is asked in vain: then the others are. Who
# is asked first is not said; so each of two is deaf in turn.
test_stalled() {
	local i node

	vip_of 4
	config nat && cluster_up
	ok "before one stalls they hear each other" wait_for 20 hear_each_other
	for i in 1 2; do
		via "$i"
		tell client open "t$i" "$VIP4" "$ECHO_PORT" 5 >"$TMP/open"
	done
	equal_soon "before one stalls" 10
	for node in node node2; do
		ok "$node stalls: it does not hear the others" \
			deaf "$node" 10.7.0.0/24
		ok "$node stalls: servers are down at the third" both_servers node3 set down
		ok "$node stalls: no session is left there" wait_for 20 knows node3 0
		ok "$node stalls: they are back" both_servers node3 set up
		ok "$node stalls: and so is what the other one has" \
			wait_for 60 knows node3 5
		ip netns exec "$NS-$node" nft delete table inet deaf
		ok "$node stalls: it hears, and gives its own" \
			wait_for 60 knows node3 10
	done
	via 3
	is "all of them go on at the third" \
		"$(tell client ping t1) $(tell client ping t2)" "5 5"
	cluster_down
	on_all session del
}
deaf() { # NODE ADDRESS
	ip netns exec "$NS-$1" nft -f - <<-NFT
	table inet deaf {
		chain input {
			type filter hook input priority 0
			ip saddr $2 counter drop
		}
	}
	NFT
}
peers_of() { [ "$(sync_of "$1" peers)" = "$2" ]; }	# NODE HOW-MANY

! part loss || test_loss
! part cut || test_cut
! part conflict || test_conflict
! part ended || test_ended
! part orphans || test_orphans
! part stalled || test_stalled
done_testing
