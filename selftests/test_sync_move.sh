#!/bin/bash
# SPDX-License-Identifier: MIT
# Session sync: connections move from one node to the other and back while data
# flows, and local addresses of FNAT with them. The topology is in nodes.sh.
. "$(dirname "$0")/lib.sh"
# shellcheck source=selftests/nodes.sh
. "$SELFTESTS/nodes.sh"

nodes_up 2 || exit 1
topo_tunnels && start_server 1 && start_server 2 && start_udp 1 || exit 1
readonly KBYTES=3000
big_file "$KBYTES"
dialogue download in_client "$SELFTESTS/download.py"

download() { # begins one, half of which comes only when it is asked to end
	tell download begin "$vip" 80 /files/big $((1024 * KBYTES))
}
ends() { HEAR_TIMEOUT=$((60 * SLOW)) tell download end "$TMP/files/big"; }

test_move() { # MODE FAMILY [SERVERS' FAMILY]
	local name="$1 IPv$2${3:+ in IPv$3}" before

	vip_of "$2"
	via 1
	SERVERS_OF=${3:-} ok "$name: listeners and servers on both nodes" \
		config "$1"
	ok "$name: sync starts" cluster_up
	ok "$name: the nodes hear each other" wait_for 10 hear_each_other
	is "$name: 10 connections through the first node" \
		"$(tell client open a "$vip" "$ECHO_PORT" 10)" "open 10"
	is "$name: to servers of that family" "$(clb -j session |
		jq -c 'map(.server_address | contains(":")) | unique')" \
		"[$([ "${3:-$2}" = 6 ] && echo true || echo false)]"
	ok "$name: the other node has them, in the same words" \
		wait_for 10 tables_equal 10
	ok "$name: all of them are established there" \
		knows node2 10 state established
	is "$name: a download begins" "$(download)" begun
	ok "$name: the other node has that, too" \
		wait_for 10 knows node2 11 state established
	before=$(passed_by node2)
	via 2
	is "$name: it goes on through the other node, and ends whole" \
		"$(ends)" whole
	ok "$name: through the other node, indeed" \
		[ "$(passed_by node2)" -gt "$before" ]
	is "$name: so do the connections" "$(tell client ping a)" 10
	via 1
	is "$name: and back" "$(tell client ping a)" 10
	is "$name: none was lost" "$(tell client ended a 0)" \
		"reset=0 eof=0 open=10"
	tell client close a >"$TMP/close"
	ok "$name: both nodes see them end" wait_for 10 none_open
	ok "$name: in the same words" wait_for 10 tables_equal
	ok "$name: sync stops" cluster_down
	on_all session del
}
none_open() {
	[ "$(known node state established) $(known node2 state established)" = "0 0" ]
}

expires_in() { # NODE
	local left

	left=$(field expires_ms "$(on "$1" -j session)")
	echo "${left/null/0}"
}
refreshed() { # a packet through node 1 lets the session live longer at node 2
	[ "$(tell client ping d)" = 1 ] &&
		[ "$(sync_of node2 updated)" -gt "$1" ]
}

# The timeout is the shortest that there is for established TCP.
test_refresh() {
	local updates

	vip_of 4
	via 1
	config nat timeout-established 10
	cluster_up && wait_for 10 hear_each_other
	tell client open d "$vip" "$ECHO_PORT" 1 >"$TMP/open"
	ok "the other node knows the connection" \
		wait_for 10 knows node2 1 state established
	for i in 1 2 3; do
		updates=$(sync_of node2 updated)
		ok "it is refreshed there while packets pass here ($i)" \
			wait_for 20 refreshed "$updates"
	done
	via 2
	is "it goes on there" "$(tell client ping d)" 1
	tell client close d >"$TMP/close"
	cluster_down
	on_all session del
}

# A packet a minute, where sessions live for 15 minutes: here for 10 seconds, and
# everything else that much faster. At the other node, what is not told of again lives
# for 22 minutes: its timeout, a quarter of it, and 2 seconds.
test_idle() {
	local made minutes

	minutes=$(size 60 25)
	vip_of 4
	via 1
	config nat timeout-established 10
	cluster_up && wait_for 10 hear_each_other
	made=$(sync_of node2 created)
	tell client open q "$vip" "$ECHO_PORT" 1 >"$TMP/open"
	ok "idle: the other node knows the connection" \
		wait_for 10 knows node2 1 state established
	is "idle: it works through $minutes minutes of one packet a minute" \
		"$(idle_for "$minutes" node)" "$minutes"
	is "idle: the other node was told of it once, and has it" \
		"$(($(sync_of node2 created) - made)) $(known node2)" "1 1"
	via 2
	is "idle: it goes on there" "$(tell client ping q)" 1
	is "idle: for more than another quarter of an hour" \
		"$(idle_for 16 node2)" 16
	is "idle: the first node has it, too" "$(known node)" 1
	tell client close q >"$TMP/close"
	cluster_down
	on_all session del
	via 1
}
idle_for() { # PACKETS NODE: how many were answered
	local n=0

	while [ "$n" -lt "$1" ] && wait_for 10 rested "$2" >&2 &&
			[ "$(tell client ping q)" = 1 ]; do
		n=$((n + 1))
	done
	echo "$n"
}
# NODE: no packet for a 15th of the timeout. The next one is in vain where the
# session has ended.
rested() { [ "$(expires_in "$1")" -le 9333 ]; }

# Of two sessions for one flow both nodes keep the same.
test_conflict() {
	vip_of 4
	on_all flush
	on_all listener add udp "$VIP4:$UDP_PORT"
	on node server add udp "$VIP4:$UDP_PORT" "$(server4 1)"
	on node2 server add udp "$VIP4:$UDP_PORT" "$(server4 2)"
	via 1
	tell client utalk "$VIP4" "$UDP_PORT" 6100 >"$TMP/asked"
	via 2
	tell client usend "$VIP4" "$UDP_PORT" 6100 >"$TMP/asked"
	wait_for 10 knows node2 1
	on node server add udp "$VIP4:$UDP_PORT" "$(server4 2)"
	on node2 server add udp "$VIP4:$UDP_PORT" "$(server4 1)"
	is "both nodes have a session for one flow, each with its own server" \
		"$(known node server "$(server4 1)") $(known node2 server "$(server4 2)")" \
		"1 1"
	via 1
	cluster_up && wait_for 10 hear_each_other
	ok "told of each other's, they agree" wait_for 10 tables_equal 1
	is "on the one that was answered" \
		"$(known node server "$(server4 1)" state udp)" 1
	cluster_down
	on_all session del
}

# A client is bound to a server that is drained at both nodes, and then to another,
# whose address is higher: both nodes agree on the later one.
test_bound() {
	local second

	start_udp 2
	second=$spawned
	vip_of 4
	via 1
	on_all flush
	on_all listener add udp "$VIP4:$UDP_PORT" persistence 600
	on_all server add udp "$VIP4:$UDP_PORT" "$(server4 1)"
	cluster_up && wait_for 10 hear_each_other
	tell client utalk "$VIP4" "$UDP_PORT" 6200 3 >"$TMP/asked"
	ok "bound: both nodes know to which server" \
		wait_for 10 bound_to "$(server4 1)"
	on_all server add udp "$VIP4:$UDP_PORT" "$(server4 2)"
	on_all server set udp "$VIP4:$UDP_PORT" "$(server4 1)" state drain
	tell client utalk "$VIP4" "$UDP_PORT" 6201 3 >"$TMP/asked"
	ok "bound: to another, as that one is drained" \
		wait_for 10 bound_to "$(server4 2)"
	stop "$second"
	cluster_down
	on_all session del
}
bound_to() { # SERVER: by both nodes, and to no other
	local node

	for node in $NODES; do
		[ "$(known "$node" state persistence) $(known "$node" \
			state persistence server "$1")" = "1 1" ] && continue
		echo "$node: $(on "$node" session)"
		return 1
	done
}

# Answers come to a node that does not know the session yet.
test_answers() { # FAMILY
	local name="answers, IPv$1" server=server$1 before

	vip_of "$1"
	via 1
	config nat
	ok "$name: the second node takes part, alone" alone node2 2
	is "$name: a download begins through the first" "$(download)" begun
	servers_via 2
	ok "$name: at the second they are dropped, and counted" wait_for 10 \
		drops_above 0
	ok "$name: it learns of the session" start_sync node 1
	is "$name: the download goes on, and ends whole" "$(ends)" whole
	is "$name: a node's own requests to a server are answered" \
		"$(ip netns exec "$NS-node2" curl -sS -m "$((10 * SLOW))" \
			"$(url "$($server 1)")")" s1
	before=$(drops)
	spawn in_client curl -sSf -m "$((60 * SLOW))" "$(url "$($server 1)")"
	ok "$name: a client that goes past the VIP has to wait" \
		wait_for 10 drops_above "$before"
	on_all listener set tcp "$vip_host:80" direct-access on
	ok "$name: until the listener allows it" wait "$spawned"
	on_all listener set tcp "$vip_host:80" direct-access off sync off
	is "$name: which it does, too, where other nodes are told nothing" \
		"$(get "$($server 1)")" s1
	cluster_down
	on_all session del
}
drops() { field drop_reply_unknown "$(on node2 -j stats)"; }
drops_above() { [ "$(drops)" -gt "$1" ]; }

test_fnat() {
	vip_of 4
	via 1
	config fnat
	on node local add "$NODE_BACK4"
	on node2 local add 198.51.100.2
	cluster_up && wait_for 10 hear_each_other
	tell client open e "$vip" "$ECHO_PORT" 5 >"$TMP/open"
	ok "full NAT: the other node has local addresses and ports, too" \
		wait_for 10 tables_equal 5
	is "full NAT: they are the first node's" "$(on node2 -j session |
		jq -c 'map(.local_address) | unique')" "[\"$NODE_BACK4\"]"
	tell client close e >"$TMP/close"
	cluster_down
	on_all session del
}

# Servers take no SYN, but count those that tell them the client.
deaf() {
	local i

	for i in 1 2; do
		in_server "$i" nft -f - <<-'NFT' || return
		add table inet deaf
		add counter inet deaf told
		add chain inet deaf in { type filter hook prerouting priority raw; }
		add rule inet deaf in tcp flags & (syn | ack) == syn \
			tcp option 254 exists counter name told
		add rule inet deaf in tcp flags & (syn | ack) == syn drop
		NFT
	done
}
hear_again() { in_server 1 nft delete table inet deaf &&
	in_server 2 nft delete table inet deaf; }
told() { # how many
	local i

	for i in 1 2; do
		in_server "$i" nft list counter inet deaf told
	done | awk '$1 == "packets" { n += $2 } END { print n + 0 }'
}
told_since() { # NODE PACKETS TOLD
	[ "$(passed_by "$1")" -gt "$2" ] && [ "$(told)" -gt "$3" ]; }

# A SYN that is repeated by another node, which did not begin its session.
test_syn() {
	local passed counted

	vip_of 4
	via 1
	config fnat client-address on
	on node local add "$NODE_BACK4"
	cluster_up && wait_for 10 hear_each_other
	deaf
	spawn in_client curl -s -m "$((20 * SLOW))" "$(url "$vip")"
	ok "SYN: the server is told the client" wait_for 10 told_since node 0 0
	ok "SYN: another node has the session" wait_for 10 knows node2 1
	passed=$(passed_by node2) counted=$(told)
	via 2
	ok "SYN: repeated there, it tells the client, too" \
		wait_for 20 told_since node2 "$passed" "$counted"
	is "SYN: of the same session" "$(known node2)" 1
	stop "$spawned"
	hear_again
	via 1
	cluster_down
	on_all session del
}

# Local addresses of the nodes, of the servers' network but no part of it: who
# serves them is a route.
local_of() { # FAMILY NODE
	[ "$1" = 4 ] && echo "198.51.100.20$2" || echo "2001:db8:5::20$2"
}
local_via() { # FAMILY OWNER NODE: servers send to the owner's address by a node
	local ns address next="198.51.100.$3"

	[ "$1" = 4 ] || next="2001:db8:5::$3"
	address=$(local_of "$1" "$2")
	for ns in s1 s2; do
		ip -n "$NS-$ns" "-$1" route replace "$address" via "$next"
	done
}
locals_up() { # FAMILY
	local n bits=32

	[ "$1" = 4 ] || bits=128
	for n in 1 2; do
		local_via "$1" "$n" "$n"
	done
	for n in node node2; do
		ip -n "$NS-$n" -batch - <<-IP
		addr replace $(local_of "$1" 1)/$bits dev lo
		addr replace $(local_of "$1" 2)/$bits dev lo
		IP
	done
}
local_is() { [ "$(local_attr "$1" "$2" "$3")" = "$4" ]; }
node_links() { # up|down
	ip -n "$NS-node" -batch - <<-IP
	link set sync $1
	link set front $1
	link set back $1
	IP
	[ "$1" = down ] || ip -n "$NS-node" -batch - <<-IP
	addr replace $NODE_FRONT6/64 dev front nodad
	addr replace $NODE_BACK6/64 dev back nodad
	addr replace 2001:db8:7::1/64 dev sync nodad
	IP
}
# Neighbours find each other anew, which takes a busy machine its time.
links_work() { # FAMILY
	local n

	for n in 1 2; do
		ip netns exec "$NS-node" ping -c 1 -W 1 "$("client$1" "$n")" &&
			ip netns exec "$NS-s$n" ping -c 1 -W 1 \
				"$([ "$1" = 4 ] && echo "$NODE_BACK4" ||
					echo "$NODE_BACK6")" || return
	done
}
# What a session sends from to its server is no other session's.
tuples_unique() { # NODE
	on "$1" -j session | jq -e 'map([.local_address, .local_port,
		.server_address, .server_port]) | length == (unique | length)'
}
events_of() { # COMMAND ADDRESS: lines of the monitor that name both
	grep -F "\"event\":\"$1\"" "$events" | grep -cF "\"$2\""
}
event_came() { [ "$(events_of "$@")" -ge 1 ]; }

# A node dies, the other one takes its local addresses over; it returns, cut off
# for a while or with nothing left.
test_takeover() { # FAMILY cut|restart
	local name="takeover IPv$1" mine other monitor

	events=$TMP/events.$1

	vip_of "$1"
	via 1
	mine=$(local_of "$1" 1)
	other=$(local_of "$1" 2)
	config fnat
	locals_up "$1"
	ok "$name: the nodes have the same local addresses" \
		on_all local add "$mine" node 1
	on_all local add "$other" node 2
	is "$name: a saved configuration says whose they are" \
		"$(clb save | grep -c "^local add .* node [12]$")" 2
	cluster_up
	ok "$name: the nodes get ready" wait_for 10 all_ready
	is "$name: each node uses its own" "$(on_all -j local |
		jq -c 'map(.active)')" "[true,false]
[false,true]"
	is "$name: 10 connections through the first node" \
		"$(tell client open a "$vip" "$ECHO_PORT" 10)" "open 10"
	ok "$name: the other node has them" wait_for 10 tables_equal 10
	is "$name: from the first node's address" "$(on node2 -j session |
		jq -c 'map(.local_address) | unique')" "[\"$mine\"]"
	is "$name: their ports are marked at the other node" \
		"$(local_attr node2 "$mine" sessions)" 10
	is "$name: a download begins" "$(download)" begun
	spawn "$CLBCTL" -n "$NS-node2" -j monitor >"$events"
	monitor=$spawned
	ok "$name: somebody listens" wait_for 20 hears_events
	not_ok "$name: a node does not take over itself" on node2 node takeover 2
	not_ok "$name: nor one that has no address" on node2 node takeover 7
	not_ok "$name: what was not taken is not given" on node2 node giveback 1
	node_links down
	ok "$name: the first node dies, the other takes over" on node2 node takeover 1
	not_ok "$name: not twice" on node2 node takeover 1
	ok "$name: an event names the address to announce" \
		wait_for 10 event_came node-takeover "$mine"
	is "$name: and no other one" "$(events_of node-takeover "$other")" 0
	is "$name: new sessions use both addresses" \
		"$(on node2 -j local | jq -c 'map(.active)')" "[true,true]"
	via 2
	local_via "$1" 1 2
	is "$name: the download goes on and ends whole" "$(ends)" whole
	is "$name: so do the connections" "$(tell client ping a)" 10
	# of two addresses, the second byte of the client's port chooses
	is "$name: a new connection works" \
		"$(tell client open b "$vip" "$ECHO_PORT" 1 20000)" "open 1"
	is "$name: another one, too" \
		"$(tell client open c "$vip" "$ECHO_PORT" 1 20256)" "open 1"
	is "$name: from either address" "$(on node2 -j session | jq -c 'map(
		select(.client_port == (20000, 20256)).local_address) | sort')" \
		"[\"$mine\",\"$other\"]"
	ok "$name: no session has another one's port" tuples_unique node2
	is "$name: the old connections were not disturbed" \
		"$(tell client ping a)" 10
	is "$name: nothing is given back yet" \
		"$(events_of node-giveback "$mine")" 0
	[ "$2" = cut ] || { clb sync stop && clb session del; }
	node_links up
	[ "$2" = cut ] || start_sync node 1
	ok "$name: the first node returns ($2), and gets its address back" \
		wait_for 20 event_came node-giveback "$mine"
	is "$name: the other node uses its own alone" \
		"$(on node2 -j local | jq -c 'map(.active)')" "[false,true]"
	ok "$name: the first node has all sessions" wait_for 20 tables_equal
	is "$name: those that are open among them" \
		"$(known node state established)" 12
	ok "$name: its links work" wait_for 20 links_work "$1"
	local_via "$1" 1 1
	via 1
	is "$name: they go on there" "$(tell client ping a) $(tell client ping b) $(
		tell client ping c)" "10 1 1"
	is "$name: a new one is made" \
		"$(tell client open d "$vip" "$ECHO_PORT" 1)" "open 1"
	ok "$name: no session has another one's port there" tuples_unique node
	stop "$monitor"
	tell client close a >"$TMP/close"
	tell client close b >"$TMP/close"
	tell client close c >"$TMP/close"
	tell client close d >"$TMP/close"
	cluster_down
	on_all session del
}
hears_events() { on node2 settings set fast-path on && [ -s "$events" ]; }

# What a node said before it died is heard for a while: it gives nothing back. A
# node that lives says more, and gets its address back with that.
test_last_words() {
	local name="last words" before mine

	events=$TMP/events.words
	via 1
	mine=$(local_of 4 1)
	config fnat
	locals_up 4
	on_all local add "$mine" node 1
	on_all local add "$(local_of 4 2)" node 2
	cluster_up
	ok "$name: the nodes get ready" wait_for 10 all_ready
	spawn "$CLBCTL" -n "$NS-node2" -j monitor >"$events"
	ok "$name: somebody listens" wait_for 20 hears_events
	before=$(now_ms)
	ok "$name: a node that lives is taken over" on node2 node takeover 1
	ok "$name: it gets its address back" \
		wait_for 10 event_came node-giveback "$mine"
	# a slow machine makes it longer, nothing makes it shorter
	ok "$name: not with what it may have said before" \
		[ $(($(now_ms) - before)) -ge 2900 ]
	stop "$spawned"
	cluster_down
	on_all flush
}

# An address that is added when copies use it: their ports are marked then.
test_local_late() {
	local address

	vip_of 4
	via 1
	address=$(local_of 4 1)
	config fnat
	locals_up 4
	on node local add "$address"
	cluster_up && wait_for 10 hear_each_other
	is "late: 10 connections" \
		"$(tell client open a "$vip" "$ECHO_PORT" 10)" "open 10"
	ok "late: the other node has them" wait_for 10 tables_equal 10
	ok "late: it gets the address" on node2 local add "$address"
	is "late: with the ports of all of them" \
		"$(local_attr node2 "$address" sessions)" 10
	via 2
	local_via 4 1 2
	is "late: they go on there" "$(tell client ping a)" 10
	is "late: so do new ones" \
		"$(tell client open b "$vip" "$ECHO_PORT" 10)" "open 10"
	ok "late: no session has another one's port" tuples_unique node2
	tell client close a >"$TMP/close"
	tell client close b >"$TMP/close"
	cluster_down
	on_all session del
	ok "late: the ports are free with the sessions" \
		wait_for 10 local_is node2 "$address" sessions 0
	via 1
}

for mode in nat dr tun; do
	for family in 4 6; do
		! part "$mode$family" || test_move "$mode" "$family"
	done
done
! part mixed || {
	test_move tun 4 6
	test_move tun 6 4
}
! part refresh || test_refresh
! part idle || test_idle
! part conflict || test_conflict
! part bound || test_bound
! part answers || {
	test_answers 4
	test_answers 6
}
! part fnat || test_fnat
! part syn || test_syn
! part takeover || {
	test_takeover 4 cut
	test_takeover 6 restart
}
! part last-words || test_last_words
! part late || test_local_late
done_testing
