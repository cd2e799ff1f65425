#!/bin/bash
# SPDX-License-Identifier: MIT
# Session sync between two nodes: what is said, by whom and of what; what strangers
# say on the link is counted and changes nothing (sync.py). The topology is in
# nodes.sh; a stranger is on the link, too, with the addresses that end with 9, and
# for peers two more nodes.
. "$(dirname "$0")/lib.sh"
# shellcheck source=selftests/nodes.sh
. "$SELFTESTS/nodes.sh"

hex_of() { echo -n "$1" | od -An -v -tx1 | tr -d ' \n'; }

nodes_up 4 && _ns_add stranger && link_plug stranger 9 || exit 1
# No byte of a secret may be found elsewhere by chance.
(umask 077 && hex_of "no other may know what we share." >"$TMP/secret" &&
	hex_of "and this is to come in its place" >"$TMP/other")
readonly PAIR="node node2" OTHER_PAIR="node3 node4"
NODES=$PAIR
start_udp 1 || exit 1

test_control() {
	is "sync is off at first" "$(clb -j sync | jq -c .)" '{"running":false}'
	not_ok "it needs an id" clb sync start interface sync \
		group "$GROUP4" secret "$TMP/secret"
	not_ok "it needs a multicast group" start_sync node 1 group 10.7.0.1
	not_ok "it needs a port" start_sync node 1 port 0
	not_ok "an address that is none is refused by its text" \
		clb sync start node 1 interface sync group x secret "$TMP/secret"
	chmod 644 "$TMP/other"
	not_ok "a secret that others may read is refused" clb sync start \
		node 1 interface sync group "$GROUP4" secret "$TMP/other"
	chmod 600 "$TMP/other"
	clb local add 198.51.100.201 node 1
	is "a node without an id uses no address that belongs to one" \
		"$(local_attr node 198.51.100.201 active)" false
	ok "sync starts" start_sync node 1
	is "with the id it is its own" \
		"$(local_attr node 198.51.100.201 active)" true
	clb local del 198.51.100.201
	spawn clb -j monitor >"$TMP/locals"
	ok "somebody listens" wait_for 20 hears "$TMP/locals"
	clb local add 198.51.100.202 node 2
	clb local del 198.51.100.202
	ok "the event of its end says whose an address was" \
		wait_for 10 local_ended 2 false
	stop "$spawned"
	not_ok "it does not start twice" start_sync node 1
	is "it says so, and how it was started" "$(clb -j sync |
		jq -c '[.running, .node, .interface, .group, .port, .ttl, .mtu,
			.reorder, .cluster, .key_id]')" \
		"[true,1,\"sync\",\"$GROUP4\",8850,1,1500,10,0,0]"
	ok "sync stops" clb sync stop
	not_ok "it does not stop twice" clb sync stop
	ok "it starts again" start_sync node 1
	ok "the other node starts" start_sync node2 2
	ok "they hear each other" wait_for 10 hear_each_other
	ok "both stop" cluster_down
	GROUP=$GROUP6
	ok "they start in an IPv6 group" cluster_up
	ok "they hear each other there" wait_for 10 hear_each_other
	ok "both stop" cluster_down
	GROUP=$GROUP4
}

local_ended() { # NODE ACTIVE
	jq -e 'select(.event == "local-del").local_address |
		[.node, .active] == ['"$1, $2"']' "$TMP/locals"
}

# What a node knows of the other is what that says of itself. Two nodes in an IPv4
# group and two in an IPv6 one, at the same time: for nodes to get ready and to be
# taken for dead takes its time.
test_peers() {
	local NODES name here there group monitors=()

	vip_of 4
	NODES="$PAIR $OTHER_PAIR" config nat
	for group in "$GROUP4" "$GROUP6"; do
		pair_of "$group"
		is "$name: there are none without sync" \
			"$(on "$here" -j sync peers)" "[]"
		spawn on "$here" -j monitor >"$TMP/peers-$here"
		monitors+=("$spawned")
		ok "$name: somebody listens" wait_for 20 hears_peers "$here"
		GROUP=$group cluster_up
	done
	peers_live "$GROUP4" 1
	peers_live "$GROUP6" 3
	for group in "$GROUP4" "$GROUP6"; do
		pair_of "$group"
		ok "$name: it is heard no more" \
			wait_for 20 peer_above heard_ms 10000
		is "$name: after ten seconds it is not alive" \
			"$(peer_of "$here" alive)" false
		ok "$name: as an event says" \
			wait_for 10 peer_events "$here" "[2,true]" "[2,false]"
		on "$here" sync stop
		tell client close "p$here" >"$TMP/close"
		on_all session del
	done
	stop "${monitors[@]}"
	via 1
}
hears_peers() { on "$1" settings set fast-path on && [ -s "$TMP/peers-$1" ]; }
peer_events() { # NODE EVENT...: all there were
	local events

	events=$(jq -c 'select(.event == "sync-peer").peer | [.node, .alive]' \
		"$TMP/peers-$1" | xargs)
	echo "$events"
	[ "$events" = "${*:2}" ]
}
pair_of() { # GROUP: sets NODES, here and there, and their name
	name="IPv4 peers" NODES=$PAIR
	[ "$1" = "$GROUP4" ] || name="IPv6 peers" NODES=$OTHER_PAIR
	here=${NODES% *} there=${NODES#* }
}
peers_live() { # GROUP NUMBER-OF-HERE
	local before sent

	pair_of "$1"
	ok "$name: the nodes hear each other" wait_for 10 hear_each_other
	ok "$name: as an event says" wait_for 10 peer_events "$here" "[2,true]"
	is "$name: it is one, with the other's id" "$(on "$here" -j sync peers |
		jq -c 'map([.node, .alive, .key_id])')" "[[2,true,0]]"
	is "$name: its life is what it says itself" \
		"$(peer_of "$here" epoch)" "$(sync_of "$there" epoch)"
	ok "$name: its address is one of its own" has_address "$there" \
		"$(peer_of "$here" address)" \
		"$([ "$1" = "$GROUP6" ] || echo 10.7.0.2)"
	is "$name: the table has it, too" \
		"$(on "$here" sync peers | awk 'NR == 2 { print $1, $3 }')" "2 on"
	ok "$name: it gets ready" wait_for 10 peer_is ready true
	via "$2"
	tell client open "p$here" "$vip" "$ECHO_PORT" 7 >"$TMP/open"
	ok "$name: its sessions are counted" wait_for 10 peer_is sessions 7
	ok "$name: its number follows what it sends" wait_for 10 follows
	ok "$name: without traffic it lags behind by nothing" \
		wait_for 10 peer_is lag 0
	before=$(peer_of "$here" missed)
	sent=$(sync_of "$there" sent_datagrams)
	in_ns "$there" tc qdisc add dev sync root netem loss 100%
	wait_for 10 counter_above "$there" sent_datagrams "$((sent + 1))"
	in_ns "$there" tc qdisc del dev sync root
	ok "$name: what is lost is counted" wait_for 30 peer_above missed "$before"
	ok "$name: and repaired" wait_for 10 peer_above gaps_repaired 0
	ok "$name: no gap stays open" wait_for 10 peer_is gaps 0
	is "$name: nothing was forged or replayed" "$(peer_of "$here" \
		drop_forged) $(peer_of "$here" drop_replayed)" "0 0"
	on "$there" sync stop
}
peer_is() { [ "$(peer_of "$here" "$1")" = "$2" ]; }
peer_above() { [ "$(peer_of "$here" "$1")" -gt "$2" ]; }
follows() { # a number between two looks at what was sent
	local low seen

	low=$(sync_of "$there" sent_datagrams)
	seen=$(peer_of "$here" sequence)
	[ "$seen" -ge "$low" ] &&
		[ "$seen" -le "$(sync_of "$there" sent_datagrams)" ]
}
has_address() { # NODE ADDRESS [EXPECTED]
	[ "$2" = "${3:-$2}" ] && ip -n "$NS-$1" -br addr | grep -qF " $2/"
}

# A node that is started with another secret, cluster, key or port hears of no
# session, and counts why, but for the port: to that nothing comes.
test_apart() {
	vip_of 4
	via 1
	config nat
	SECRET=$TMP/other apart "another secret" drop_forged
	apart "another cluster" drop_cluster cluster 7
	apart "another key" drop_key key-id 7
	apart "another port" "" port 8851
}
apart() { # HOW COUNTER [KEYWORD VALUE]...
	local node

	ok "$1: a node starts with it" start_sync node2 2 "${@:3}"
	SECRET='' start_sync node 1
	tell client open p "$vip" "$ECHO_PORT" 3 >"$TMP/open"
	ok "$1: the first node tells of its sessions" \
		wait_for 10 counter_above node sent_sessions 2
	for node in $NODES; do
		apart_from "$node" "$1" "$2"
	done
	is "$1: the other node has none of them" "$(known node) $(known node2)" \
		"3 0"
	tell client close p >"$TMP/close"
	cluster_down
	on_all session del
}
# Once as much was counted as had been sent, the sessions were among it.
apart_from() { # NODE HOW COUNTER
	local sent other=node2

	[ "$1" = node ] || other=node
	sent=$(sync_of "$other" sent_datagrams)
	[ -z "$3" ] || ok "$2: $1 counts $3" wait_for 10 counter_above "$1" "$3" \
		"$sent"
	ok "$2: the other node goes on" wait_for 10 counter_above "$other" \
		sent_datagrams "$((sent + 1))"
	[ -n "$3" ] || is "$2: $1 hears nothing" \
		"$(sync_of "$1" received_datagrams)" 0
	is "$2: $1 has no peer" "$(sync_of "$1" peers)" 0
}

# All that start takes, other than its default.
test_chosen() {
	local n=150
	local chosen=(cluster 77 port 9000 ttl 7 mtu 1300 reorder 20 key-id 9)

	vip_of 4
	via 1
	config nat
	GROUP=$GROUP6
	ok "chosen: a node starts with no default" start_sync node 1 "${chosen[@]}"
	is "chosen: it says how it was started" "$(clb -j sync |
		jq -c '[.group, .cluster, .port, .ttl, .mtu, .reorder,
			.key_id]')" \
		"[\"$GROUP6\",77,9000,7,1300,20,9]"
	ok "chosen: it gets ready" wait_for 10 is_ready node
	is "chosen: $n connections" \
		"$(tell client open o "$vip" "$ECHO_PORT" "$n")" "open $n"
	in_ns node2 nft -f - <<-NFT
	add table inet sync
	add chain inet sync in { type filter hook prerouting priority raw; }
	add rule inet sync in meta nfproto ipv4 accept
	add rule inet sync in ip6 daddr != $GROUP6 accept
	add rule inet sync in udp dport 9000 ip6 hoplimit 7 \
		meta length 1200-1300 counter comment "full"
	add rule inet sync in udp dport 9000 ip6 hoplimit 7 \
		meta length <= 1300 accept
	add rule inet sync in meta l4proto udp counter comment "odd"
	NFT
	ok "chosen: another one starts" start_sync node2 2 "${chosen[@]}"
	ok "chosen: it gets ready" wait_for 10 is_ready node2
	ok "chosen: it has the connections" wait_for 10 tables_equal "$n"
	ok "chosen: from datagrams as long as they may be" \
		[ "$(packets_of full)" -gt 0 ]
	is "chosen: all had these hops, that port, and no more bytes" \
		"$(packets_of odd)" 0
	in_ns node2 nft delete table inet sync
	tell client close o >"$TMP/close"
	cluster_down
	GROUP=$GROUP4
	on_all session del
}
packets_of() { # COMMENT
	in_ns node2 nft list chain inet sync in |
		sed -n "s/.*counter packets \([0-9]*\) .*\"$1\".*/\1/p"
}

# Not by a word, not by a byte: what clbctl prints, and what the kernel says to it.
test_secret() {
	local hex monitors said=$TMP/said words

	config nat
	spawn clb monitor >"$said"
	monitors=$spawned
	spawn clb -j monitor >"$said-j"
	monitors+=" $spawned"
	ok "secret: somebody listens" wait_for 20 hears_both
	cluster_up && wait_for 10 hear_each_other
	for words in sync "sync peers" save "listener show" "session show" stats; do
		# shellcheck disable=SC2086 # words are meant to split
		clb $words && clb -j $words
	done >>"$said.lists"
	on node2 sync stop
	clb sync stop
	start_sync node 1
	relay ip netns exec "$NS-node" "$SELFTESTS/secret.py" "$TMP/secret" \
		"$TMP/other"
	for words in start add-secret use-secret del-secret; do
		ok "secret: sync $words is an event" \
			wait_for 10 event_told "$words"
	done
	ok "secret: so much was said" [ "$(cat "$said"* | wc -c)" -gt 3000 ]
	hex=$(cut -c 9-56 "$TMP/secret")
	not_ok "secret: and nothing of it" grep -iE "^secret|\"secret\"|$hex|$(
		cut -c 9-56 "$TMP/other")|may know what|is to come in" "$said"*
	# shellcheck disable=SC2086 # words are meant to split
	stop $monitors
	cluster_down
}
hears_both() {
	clb settings set fast-path on && [ -s "$TMP/said" ] && [ -s "$TMP/said-j" ]
}
event_told() { # SUBCOMMAND
	grep -q "^sync $1" "$TMP/said" && grep -q "\"sync-$1\"" "$TMP/said-j"
}

# A secret replaces another while sessions come and go and datagrams get lost:
# no node meets one that it cannot read.
test_rotate() {
	local n node more

	vip_of 4
	via 1
	config nat
	not_ok "a secret is not added before sync is started" \
		clb sync add-secret key-id 1 secret "$TMP/other"
	cluster_up
	for node in node node2; do
		in_ns "$node" tc qdisc add dev sync root netem delay 2ms 1ms \
			loss 10% duplicate 5% reorder 25%
	done
	ok "the nodes hear each other" wait_for 10 hear_each_other
	not_ok "the only secret is not removed" clb sync del-secret key-id 0
	not_ok "one that is not there is not used" clb sync use-secret key-id 1
	not_ok "a key id is not given twice" \
		clb sync add-secret key-id 0 secret "$TMP/other"
	rm -f "$TMP/stop"
	spawn churn >"$TMP/churn"
	ok "connections come" wait_for 10 more_come 0
	rotate 0 1 "$TMP/other"
	ok "more come between one rotation and the next" \
		wait_for 10 more_come "$(churned)"
	rotate 1 0 "$TMP/secret"
	ok "more come afterwards" wait_for 10 more_come "$(churned)"
	touch "$TMP/stop"
	wait "$spawned"
	n=$(churned)
	is "none failed, the last ones are there" "$(tell client ping r)" 5
	ok "datagrams are missing" miss_some "$vip" node2
	ok "the tables are equal" wait_for 10 tables_equal
	for node in node node2; do
		is "$node met none that it could not read" \
			"$(sync_of "$node" drop_key) $(sync_of "$node" drop_forged)" "0 0"
		in_ns "$node" tc qdisc del dev sync root
	done
	is "nothing was beyond repair" \
		"$(sync_of node gaps_lost) $(sync_of node2 gaps_lost)" "0 0"
	is "the life of the nodes went on" "$(peer_of node epoch)" \
		"$(sync_of node2 epoch)"
	tell client close r >"$TMP/close"
	cluster_down
	on_all session del
}
rotate() { # FROM TO FILE
	ok "$2: the first node gets it" clb sync add-secret key-id "$2" secret "$3"
	not_ok "$2: it cannot have three" \
		clb sync add-secret key-id 77 secret "$3"
	ok "$2: so does the other" on node2 sync add-secret key-id "$2" secret "$3"
	is "$2: it is the second one" \
		"$(clb -j sync | jq -c '[.key_id, .other_key_id]')" "[$1,$2]"
	ok "$2: the first node sends with it" clb sync use-secret key-id "$2"
	ok "$2: the other node reads it" wait_for 10 node_sends node2 "$2"
	not_ok "$2: the old one is needed: the other node sends with it" \
		clb sync del-secret key-id "$1"
	ok "$2: the other node sends with it" on node2 sync use-secret key-id "$2"
	ok "$2: the first node reads it" wait_for 10 node_sends node "$2"
	# with a delay on the link, older ones may still be on their way
	ok "$2: both have heard more" wait_for 10 heard_beyond \
		"$(peer_of node sequence)" "$(peer_of node2 sequence)"
	ok "$2: the old one is removed" on_all sync del-secret key-id "$1"
	is "$2: one is left" \
		"$(clb -j sync | jq -c '[.key_id, .other_key_id]')" "[$2,null]"
}
heard_beyond() { # SEQUENCE SEQUENCE: each of the other, and of what came early
	[ "$(peer_of node sequence)" -gt $(($1 + 3)) ] &&
		[ "$(peer_of node2 sequence)" -gt $(($2 + 3)) ]
}
node_sends() { [ "$(peer_of "$1" key_id)" = "$2" ]; }	# BY-WHOSE-LIST KEY-ID
churned() { tail -n 1 "$TMP/churn"; }
more_come() { [ "$(churned)" -gt "${1:-0}" ]; } # than so many
churn() { # prints how many there were
	local n=0

	while [ ! -e "$TMP/stop" ]; do
		n=$((n + 5))
		[ "$(tell client open r "$vip" "$ECHO_PORT" 5)" = "open 5" ] || break
		echo "$n"
	done
}

test_gone() {
	local resets

	vip_of 4
	via 1
	config nat && cluster_up && wait_for 10 hear_each_other
	tell client open b "$vip" "$ECHO_PORT" 5 >"$TMP/open"
	ok "the other node knows 5 connections" wait_for 10 tables_equal 5
	resets=$(field resets_sent "$(on node2 -j stats)")
	ok "they are ended by hand at the other node" on node2 session del
	ok "the first node has none of them any more" wait_for 10 knows node 0
	is "it says whose word that was" "$(sync_of node ended)" 5
	is "the other node, which saw no packet of them, sent no reset" \
		"$(field resets_sent "$(on node2 -j stats)")" "$resets"
	tell client close b >"$TMP/close"
	cluster_down
}

heard_with_config() {
	on_all restore "$TMP/config"
	cluster_up && wait_for 10 hear_each_other
}

# The server answers at UDP port 5353, and not at 5999; of TCP, a client says no more
# than a SYN, another one all. The last of the five is a marker: what was said before
# it has arrived.
test_listener() { # first|established|off UNANSWERED ANSWERED
	local answered unanswered silent=192.0.2.99

	via 1
	on_all flush
	cat >"$TMP/config" <<-END
	listener add udp $VIP4:5999 sync $1
	listener add udp $VIP4:5354 sync $1
	listener add udp $VIP4:$UDP_PORT
	server add udp $VIP4:5999 $(server4 1):5999
	server add udp $VIP4:5354 $(server4 1):$UDP_PORT
	server add udp $VIP4:$UDP_PORT $(server4 1):$UDP_PORT
	listener add tcp $VIP4:$ECHO_PORT sync $1
	server add tcp $VIP4:$ECHO_PORT $(server4 1)
	END
	heard_with_config
	tell raw syn "$VIP4" "$ECHO_PORT" 1 "$silent" >"$TMP/asked"
	ok "sync $1: the answer to a SYN comes to the first node" \
		wait_for 10 knows node 1 client "$silent" state syn-recv
	is "sync $1: another client says more" \
		"$(tell client open l "$VIP4" "$ECHO_PORT" 1 6000)" "open 1"
	tell client usend "$VIP4" 5999 6001 >"$TMP/asked"
	tell client utalk "$VIP4" 5354 6002 >"$TMP/asked"
	is "sync $1: a session that is always told is used" \
		"$(tell client utalk "$VIP4" "$UDP_PORT" 6003)" 1
	ok "sync $1: it has arrived" \
		wait_for 10 knows node2 1 client "$(client4 1):6003"
	unanswered=$(known node2 client "$(client4 1):6001")
	answered=$(known node2 client "$(client4 1):6002")
	is "sync $1: unanswered UDP, answered UDP" "$unanswered $answered" "$2 $3"
	is "sync $1: a SYN, a connection" "$(known node2 client "$silent") $(
		known node2 client "$(client4 1):6000" state established)" "$2 $3"
	is "sync $1: the first node has all five" "$(known node)" 5
	tell client close l rst >"$TMP/close"
	cluster_down
	on_all session del
}

# What others never heard of, their word on the same flow does not end: both nodes
# have sessions of their own, the first one's born later. What is told of ends with
# them: a marker.
test_private() {
	via 1
	on_all flush
	cat >"$TMP/config" <<-END
	listener add udp $VIP4:5354 sync off
	listener add udp $VIP4:$UDP_PORT sync first
	server add udp $VIP4:5354 $(server4 1):$UDP_PORT
	server add udp $VIP4:$UDP_PORT $(server4 1):$UDP_PORT
	END
	heard_with_config
	via 2
	tell client utalk "$VIP4" 5354 6002 >"$TMP/asked"
	via 1
	tell client utalk "$VIP4" 5354 6002 >"$TMP/asked"
	tell client utalk "$VIP4" "$UDP_PORT" 6003 >"$TMP/asked"
	ok "private: the other node has its own, and one it was told of" \
		wait_for 10 knows node2 2
	on node session del
	ok "private: of those ended by hand it hears of the latter" \
		wait_for 10 knows node2 0 client "$(client4 1):6003"
	is "private: and keeps its own" \
		"$(known node2 client "$(client4 1):6002")" 1
	cluster_down
	on_all session del
}

# One node is flooded, and has room; the other is full of what it is told of. SYNs
# are of silent clients. A session that is more makes a half-open one go; what is
# half-open itself does not.
test_full() { # LABEL LIMIT...: of 60 sessions, by clbctl
	local evicted

	vip_of 4
	via 1
	config nat timeout-syn 300
	on node2 "${@:2}"
	evicted=$(evictions)
	cluster_up && wait_for 10 hear_each_other
	tell raw syn "$vip" "$ECHO_PORT" 100 192.0.2.100 >"$TMP/asked"
	ok "$1: the first node knows all of a flood" wait_for 10 knows node 100
	ok "$1: the other one refuses what is beyond its limit" \
		wait_for 10 counter_above node2 refused_limit 39
	is "$1: none of these made another go" \
		"$(known node2) $(evictions)" "60 $evicted"
	is "$1: clients connect by the first node" \
		"$(tell client open s "$vip" "$ECHO_PORT" 5)" "open 5"
	ok "$1: the full node is told of these" \
		wait_for 10 knows node2 5 state established
	is "$1: as many half-open ones went" \
		"$(known node2) $(evictions)" "60 $((evicted + 5))"
	via 2
	is "$1: they go on there" "$(tell client ping s)" 5
	tell client close s >"$TMP/close"
	cluster_down
	on_all session del
	on node2 settings set max-sessions \
		"$(field max_sessions "$(clb -j settings)")"
}
evictions() { field sessions_evicted "$(on node2 -j stats)"; }

test_strangers() {
	vip_of 4
	via 1
	config nat && start_sync node 1 && start_sync node2 2 reorder 200 &&
		wait_for 10 hear_each_other
	tell client open f "$vip" "$ECHO_PORT" 5 >"$TMP/open"
	wait_for 10 tables_equal 5
	relay ip netns exec "$NS-stranger" "$SELFTESTS/sync.py" attack \
		"$NS-node2" sync "$GROUP4" "$TMP/secret"
	is "the connections did not notice" "$(tell client ping f)" 5
	tell client close f >"$TMP/close"
	cluster_down
	on_all session del
}

# A namespace goes while it takes part; so does the device.
test_going() {
	cluster_up && wait_for 10 hear_each_other
	ok "the device to the others goes" ip -n "$NS-node2" link del sync
	ok "sync can be stopped then" on node2 sync stop
	ok "a node's namespace goes while it takes part" ip netns del "$NS-node"
}

! part control || test_control
! part apart || test_apart
! part chosen || test_chosen
! part secret || test_secret
! part rotate || test_rotate
! part peers || test_peers
! part gone || test_gone
! part listener || {
	start_raw
	test_listener first 1 1
	test_listener established 0 1
	test_listener off 0 0
}
! part private || test_private
! part full || {
	part listener || start_raw
	test_full "full listener" listener set tcp "$VIP4:$ECHO_PORT" \
		max-sessions 60
	test_full "full namespace" settings set max-sessions 60
}
! part strangers || test_strangers
! part going || test_going
done_testing
