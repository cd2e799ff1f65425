#!/bin/bash
# SPDX-License-Identifier: MIT
# Session sync between two nodes: connections move from one to the other and
# back while data flows, what one node knows the other does, and what strangers
# say on the link is counted and changes nothing (sync.py).
#
#	 c1  c2
#	 |   |
#	-+---+--+------------+------- front
#	        | .1         | .2
#	       node         node2		link  10.7.0.0/24
#	        | .1         | .2 `-- .2 --+
#	        |            |             |-- .9 stranger
#	        |     node's `-- .1 -------+
#	-+----+-+-+--+-------+------- back
#	 s1   s2  s3 s4
#
# The rest is in lib.sh. A router that changes its mind is clients and servers
# whose next hop is the other node.
. "$(dirname "$0")/lib.sh"

readonly GROUP4=239.7.0.1 GROUP6=ff02::7:1 ECHO_PORT=7000

topo_up 2 || exit 1

# The same as _node_up, with the addresses that end with 2.
node2_up() {
	_ns_add node2 net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	_plug node2 front front
	_plug node2 back back
	ip -n "$NS-node2" -batch - <<-IP
	link set lo up
	link set front up
	link set back up
	addr add 192.0.2.2/24 dev front
	addr add 2001:db8:c::2/64 dev front nodad
	addr add 198.51.100.2/24 dev back
	addr add 2001:db8:5::2/64 dev back nodad
	IP
}

link_up() {
	local ns

	ip -n "$NS-net" link add sync up type bridge mcast_snooping 0
	_ns_add stranger
	for ns in node:1 node2:2 stranger:9; do
		_plug "${ns%:*}" sync sync
		ip -n "$NS-${ns%:*}" -batch - <<-IP
		link set sync up
		addr add 10.7.0.${ns#*:}/24 dev sync
		addr add 2001:db8:7::${ns#*:}/64 dev sync nodad
		IP
	done
}

node2_up && link_up || exit 1
start_server 1 && start_server 2 && start_tcp 1 && start_tcp 2 || exit 1
start_udp 1 || exit 1
start_client
make_file big "$(size 20000 4000)"

clb2() { "$CLBCTL" -n "$NS-node2" "$@"; }
on() { # NODE ARGUMENT...
	"$CLBCTL" -n "$NS-$1" "${@:2}"
}
both() { on node "$@" && on node2 "$@"; }
sync_of() { on "$1" -j sync | jq -r ".$2"; }	# NODE NAME
local_attr() { # NODE ADDRESS NAME
	on "$1" -j local | jq -r ".[] | select(.address == \"$2\").$3"
}
peer_of() { # NODE NAME: what it knows of the other
	on "$1" -j sync peers | jq -r ".[0].$2"
}

(umask 077 && printf '%064d\n' 7 >"$TMP/secret" && printf '%064d\n' 8 >"$TMP/other")

start_sync() { # NODE ID [KEYWORD VALUE]...
	on "$1" sync start node "$2" interface sync secret "$TMP/secret" \
		group "${GROUP:-$GROUP4}" "${@:3}"
}
hear_each_other() {
	[ "$(sync_of node peers) $(sync_of node2 peers)" = "1 1" ]
}
cluster_up() { start_sync node 1 && start_sync node2 2; }
cluster_down() { both sync stop; }

# via 1|2: clients and servers send by this node from now on.
via() {
	local ns

	for ns in c1 c2; do
		ip -n "$NS-$ns" route replace default via "192.0.2.$1"
		ip -n "$NS-$ns" -6 route replace default via "2001:db8:c::$1"
	done
	for ns in s1 s2; do
		ip -n "$NS-$ns" route replace default via "198.51.100.$1"
		ip -n "$NS-$ns" -6 route replace default via "2001:db8:5::$1"
	done
}

# The sessions of a node, but for how long they have left.
table() {
	on "$1" -j session | jq -c 'map(del(.expires_ms)) | sort_by(tostring)[]'
}
tables_equal() { # [HOW-MANY]: with so many sessions in each
	table node >"$TMP/table" && table node2 >"$TMP/table2" &&
		diff "$TMP/table" "$TMP/table2" &&
		[ "${1:-$(wc -l <"$TMP/table")}" = "$(wc -l <"$TMP/table")" ]
}
known() { # NODE FILTER...: how many sessions
	on "$1" session count "${@:2}"
}
knows() { [ "$(known "$1" "${@:3}")" = "$2" ]; }	# NODE HOW-MANY FILTER...

config() { # MODE [KEYWORD VALUE]...
	local f host vip vip_host

	both flush
	for f in 4 6; do
		vip_of "$f"
		host=server$f
		both listener add tcp "$vip_host:80" mode "$1" "${@:2}" &&
			both listener add tcp "$vip_host:$ECHO_PORT" mode "$1" \
				"${@:2}" &&
			both server add tcp "$vip_host:80" "$($host 1)" &&
			both server add tcp "$vip_host:80" "$($host 2)" &&
			both server add tcp "$vip_host:$ECHO_PORT" "$($host 1)" &&
			both server add tcp "$vip_host:$ECHO_PORT" "$($host 2)" ||
			return
	done
}

# --- starting and stopping -----------------------------------------------------

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
	ok "somebody listens" wait_for 20 hears_locals
	clb local add 198.51.100.202 node 2
	clb local del 198.51.100.202
	ok "the event of its end says whose an address was" \
		wait_for 10 local_ended 2 false
	stop "$spawned"
	not_ok "it does not start twice" start_sync node 1
	is "it says so, and how it was started" "$(clb -j sync |
		jq -c '[.running, .node, .interface, .group, .port, .ttl, .mtu,
			.cluster, .key_id]')" \
		"[true,1,\"sync\",\"$GROUP4\",8850,1,1500,0,0]"
	not_ok "the secret is in no answer" grep -q secret <<<"$(clb -j sync)"
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

hears_locals() { clb settings set fast-path on && [ -s "$TMP/locals" ]; }
local_ended() { # NODE ACTIVE
	jq -e 'select(.event == "local-del").local_address |
		[.node, .active] == ['"$1, $2"']' "$TMP/locals"
}

# What a node knows of the other is what that says of itself.
test_peers() { # FAMILY
	local name="IPv$1 peers" group=$GROUP4 address=10.7.0.2 before

	[ "$1" = 4 ] || group=$GROUP6 address=
	vip_of 4
	via 1
	config nat
	is "$name: there are none without sync" "$(clb -j sync peers)" "[]"
	GROUP=$group cluster_up
	ok "$name: the nodes hear each other" wait_for 10 hear_each_other
	is "$name: it is one, with the other's id" \
		"$(on node -j sync peers | jq -c 'map([.node, .alive, .key_id])')" \
		"[[2,true,0]]"
	is "$name: its life is what it says itself" \
		"$(peer_of node epoch)" "$(sync_of node2 epoch)"
	ok "$name: its address is one of its own" \
		has_address node2 "$(peer_of node address)" "$address"
	is "$name: the table has it, too" \
		"$(on node sync peers | awk 'NR == 2 { print $1, $3 }')" "2 on"
	ok "$name: it gets ready" wait_for 10 peer_is ready true
	tell client open p "$vip" "$ECHO_PORT" 7 >"$TMP/open"
	ok "$name: its sessions are counted" wait_for 10 peer_is sessions 7
	ok "$name: its number follows what it sends" wait_for 10 follows
	ok "$name: without traffic it lags behind by nothing" \
		wait_for 10 peer_is lag 0
	in_ns node2 tc qdisc add dev sync root netem loss 30%
	before=$(peer_of node missed)
	ok "$name: what is lost is counted" wait_for 30 peer_above missed "$before"
	in_ns node2 tc qdisc del dev sync root
	ok "$name: and repaired" wait_for 10 peer_above gaps_repaired 0
	ok "$name: no gap stays open" wait_for 10 peer_is gaps 0
	is "$name: nothing was forged or replayed" \
		"$(peer_of node drop_forged) $(peer_of node drop_replayed)" "0 0"
	clb2 sync stop
	ok "$name: it is heard no more" wait_for 20 peer_above heard_ms 10000
	is "$name: after ten seconds it is not alive" "$(peer_of node alive)" false
	tell client close p >"$TMP/close"
	clb sync stop
	both session del
}
peer_is() { [ "$(peer_of node "$1")" = "$2" ]; }
peer_above() { [ "$(peer_of node "$1")" -gt "$2" ]; }
follows() { # a number between two looks at what was sent
	local low seen

	low=$(sync_of node2 sent_datagrams)
	seen=$(peer_of node sequence)
	[ "$seen" -ge "$low" ] && [ "$seen" -le "$(sync_of node2 sent_datagrams)" ]
}
has_address() { # NODE ADDRESS [EXPECTED]
	[ "$2" = "${3:-$2}" ] && ip -n "$NS-$1" -br addr | grep -qF " $2/"
}

# A node that is started with another secret, cluster or key is heard by none.
test_apart() {
	local before

	ok "a node starts with another secret" \
		on node2 sync start node 2 interface sync \
		secret "$TMP/other" group "$GROUP4"
	start_sync node 1
	before=$(sync_of node drop_forged)
	ok "it is taken for a forger" \
		wait_for 10 counter_above node drop_forged "$before"
	is "it is no peer" "$(sync_of node peers)" 0
	cluster_down
}
counter_above() { [ "$(sync_of "$1" "$2")" -gt "$3" ]; }

# A secret replaces another while sessions come and go and datagrams get lost:
# no node meets one that it cannot read.
test_rotate() {
	local n node

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
	rotate 0 1 "$TMP/other"
	rotate 1 0 "$TMP/secret"
	touch "$TMP/stop"
	wait "$spawned"
	n=$(tail -n 1 "$TMP/churn")
	ok "connections came and went meanwhile" [ "${n:-0}" -gt 5 ]
	is "none failed, the last ones are there" "$(tell client ping r)" 5
	ok "the tables are equal" wait_for 10 tables_equal
	ok "although datagrams were lost" counter_above node2 missed 0
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
	both session del
}
rotate() { # FROM TO FILE
	ok "$2: the first node gets it" clb sync add-secret key-id "$2" secret "$3"
	not_ok "$2: it cannot have three" \
		clb sync add-secret key-id 77 secret "$3"
	ok "$2: so does the other" clb2 sync add-secret key-id "$2" secret "$3"
	is "$2: it is the second one" \
		"$(clb -j sync | jq -c '[.key_id, .other_key_id]')" "[$1,$2]"
	ok "$2: the first node sends with it" clb sync use-secret key-id "$2"
	ok "$2: the other node reads it" wait_for 10 node_sends node2 "$2"
	not_ok "$2: the old one is needed: the other node sends with it" \
		clb sync del-secret key-id "$1"
	ok "$2: the other node sends with it" clb2 sync use-secret key-id "$2"
	ok "$2: the first node reads it" wait_for 10 node_sends node "$2"
	ok "$2: the old one is removed" both sync del-secret key-id "$1"
	is "$2: one is left" \
		"$(clb -j sync | jq -c '[.key_id, .other_key_id]')" "[$2,null]"
}
node_sends() { [ "$(peer_of "$1" key_id)" = "$2" ]; }	# BY-WHOSE-LIST KEY-ID
churn() { # prints how many there were
	local n=0

	while [ ! -e "$TMP/stop" ]; do
		n=$((n + 5))
		[ "$(tell client open r "$vip" "$ECHO_PORT" 5)" = "open 5" ] || break
		echo "$n"
	done
}

# --- moving --------------------------------------------------------------------

download() { # OUTPUT
	in_client curl -sSf -m "$((60 * SLOW))" --limit-rate 4M -o "$1" \
		"$(url "$vip" 80 files/big)"
}
has_some() { [ "$(stat -c %s "$1" 2>/dev/null || echo 0)" -gt 200000 ]; }
ends_well() { wait "$1" && cmp "$TMP/got" "$TMP/files/big"; }
passed_by() { # NODE: bytes from clients
	on "$1" -j listener | jq '[.[].in_packets] | add'
}

test_move() { # MODE FAMILY
	local name="$1 IPv$2" before

	vip_of "$2"
	via 1
	ok "$name: listeners and servers on both nodes" config "$1"
	ok "$name: sync starts" cluster_up
	ok "$name: the nodes hear each other" wait_for 10 hear_each_other
	is "$name: 10 connections through the first node" \
		"$(tell client open a "$vip" "$ECHO_PORT" 10)" "open 10"
	ok "$name: the other node has them, in the same words" \
		wait_for 10 tables_equal 10
	ok "$name: all of them are established there" \
		knows node2 10 state established
	rm -f "$TMP/got"
	spawn download "$TMP/got"
	ok "$name: a download begins" wait_for 10 has_some "$TMP/got"
	before=$(passed_by node2)
	via 2
	ok "$name: it goes on through the other node, and ends whole" \
		ends_well "$spawned"
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
	both session del
}
none_open() {
	[ "$(known node state established) $(known node2 state established)" = "0 0" ]
}

# --- what is told -------------------------------------------------------------

test_gone() {
	local resets

	vip_of 4
	via 1
	config nat && cluster_up && wait_for 10 hear_each_other
	tell client open b "$vip" "$ECHO_PORT" 5 >"$TMP/open"
	ok "the other node knows 5 connections" wait_for 10 tables_equal 5
	resets=$(clb2 -j stats | jq .resets_sent)
	ok "they are ended by hand at the other node" clb2 session del
	ok "the first node has none of them any more" wait_for 10 knows node 0
	is "it says whose word that was" "$(sync_of node ended)" 5
	is "the other node, which saw no packet of them, sent no reset" \
		"$(clb2 -j stats | jq .resets_sent)" "$resets"
	tell client close b >"$TMP/close"
	cluster_down
}

# A marker: what was said before it has arrived.
marker() { # PORT: of the client
	ask "$VIP4" "$UDP_PORT" marker 1 "$1" >"$TMP/marker" &&
		wait_for 10 knows node2 1 client "$(client4 1):$1"
}
silent() { ask "$VIP4" 5999 x 1 "$1" >"$TMP/silent" 2>&1; }	# PORT

# The server answers at port 5353, and not at 5999.
test_listener() { # first|established|off UNANSWERED ANSWERED
	local answered unanswered

	via 1
	both flush
	both listener add udp "$VIP4:5999" sync "$1"
	both listener add udp "$VIP4:5354" sync "$1"
	both listener add udp "$VIP4:$UDP_PORT"
	both server add udp "$VIP4:5999" "$(server4 1):5999"
	both server add udp "$VIP4:5354" "$(server4 1):$UDP_PORT"
	both server add udp "$VIP4:$UDP_PORT" "$(server4 1):$UDP_PORT"
	cluster_up && wait_for 10 hear_each_other
	silent 6001
	ask "$VIP4" 5354 hello 1 6002 >"$TMP/asked"
	ok "sync $1: a session that is always told has arrived" marker 6003
	unanswered=$(known node2 client "$(client4 1):6001")
	answered=$(known node2 client "$(client4 1):6002")
	is "sync $1: unanswered UDP, answered UDP" "$unanswered $answered" "$2 $3"
	is "sync $1: the first node has all three" "$(known node)" 3
	cluster_down
	both session del
}

expires_in() { on "$1" -j session | jq '.[0].expires_ms // 0'; }
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
	both session del
}

# A packet a minute for an hour, where sessions live for 15 minutes: here for 10
# seconds, and everything else that much faster.
test_idle() {
	local made

	vip_of 4
	via 1
	config nat timeout-established 10
	cluster_up && wait_for 10 hear_each_other
	made=$(sync_of node2 created)
	tell client open q "$vip" "$ECHO_PORT" 1 >"$TMP/open"
	ok "idle: the other node knows the connection" \
		wait_for 10 knows node2 1 state established
	is "idle: it works through an hour of one packet a minute" \
		"$(idle_for 60 node)" 60
	is "idle: the other node was told of it once, and has it" \
		"$(($(sync_of node2 created) - made)) $(known node2)" "1 1"
	via 2
	is "idle: it goes on there" "$(tell client ping q)" 1
	is "idle: for another quarter of an hour" "$(idle_for 15 node2)" 15
	is "idle: the first node has it, too" "$(known node)" 1
	tell client close q >"$TMP/close"
	cluster_down
	both session del
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
rested() { # NODE: no packet for a 15th of the timeout
	local left

	left=$(expires_in "$1")
	[ "$left" -gt 0 ] && [ "$left" -le 9333 ]
}

# Of two sessions for one flow both nodes keep the same.
test_conflict() {
	vip_of 4
	both flush
	both listener add udp "$VIP4:$UDP_PORT"
	on node server add udp "$VIP4:$UDP_PORT" "$(server4 1)"
	on node2 server add udp "$VIP4:$UDP_PORT" "$(server4 2)"
	via 1
	ask "$VIP4" "$UDP_PORT" x 1 6100 >"$TMP/asked"
	via 2
	silent_udp 6100
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
	both session del
}
silent_udp() { ask "$VIP4" "$UDP_PORT" x 1 "$1" >"$TMP/silent" 2>&1; }

# What got lost is said again, what came twice or late does no harm.
test_loss() {
	local n

	n=$(size 200 50)
	vip_of 4
	via 1
	config nat
	for node in node node2; do
		ok "$node's link loses, doubles and reorders" in_ns "$node" \
			tc qdisc add dev sync root netem delay 2ms 1ms \
			loss 20% duplicate 5% reorder 25%
	done
	cluster_up
	ok "the nodes hear each other" wait_for 10 hear_each_other
	is "$n connections are opened" \
		"$(tell client open g "$vip" "$ECHO_PORT" "$n")" "open $n"
	ok "the other node has them all" wait_for 10 tables_equal "$n"
	ok "although datagrams were missing" counter_above node2 missed 0
	ok "what they said was said again" \
		wait_for 10 counter_above node2 gaps_repaired 0
	is "nothing was beyond repair" "$(sync_of node2 gaps_lost)" 0
	tell client close g >"$TMP/close"
	ok "they end there, too" wait_for 10 tables_equal
	ok "all are ended by hand" clb session del
	ok "and are gone from the other node" wait_for 10 knows node2 0
	for node in node node2; do
		in_ns "$node" tc qdisc del dev sync root
	done
	cluster_down
}

# A node that joins fetches what there is, and says when it has it.
test_join() {
	local n

	n=$(size 1000 100)
	vip_of 4
	via 1
	config nat
	ok "a node starts alone" start_sync node 1
	ok "it waits for others, then it is ready" wait_for 10 is_ready node
	is "$n connections are opened" \
		"$(tell client open h "$vip" "$ECHO_PORT" "$n")" "open $n"
	spawn clb2 monitor >"$TMP/monitor"
	ok "somebody listens there" wait_for 20 hears_changes
	ok "a node joins" start_sync node2 2
	ok "it gets ready" wait_for 10 is_ready node2
	ok "the event says so" wait_for 10 grep -qx "sync ready" "$TMP/monitor"
	stop "$spawned"
	ok "it has the connections" wait_for 10 tables_equal "$n"
	is "they were told once" "$(sync_of node2 created)" "$n"
	ok "it leaves, with its sessions ended, and comes back" rejoin
	ok "it has them again" wait_for 10 tables_equal "$n"
	via 2
	is "all go on through it" "$(tell client ping h)" "$n"
	via 1
	tell client close h >"$TMP/close"
	cluster_down
	both session del
}
is_ready() { [ "$(sync_of "$1" ready)" = true ]; }
rejoin() {
	clb2 sync stop && clb2 session del && start_sync node2 2 &&
		wait_for 10 is_ready node2
}

# Words come so late that they come after the time that a node waits for others.
test_delayed() {
	local before

	vip_of 4
	via 1
	config nat
	start_sync node 1 && wait_for 10 is_ready node
	tell client open m "$vip" "$ECHO_PORT" 5 >"$TMP/open"
	ok "delayed: what a node says takes 4 s" in_ns node \
		tc qdisc add dev sync root netem delay 4s
	before=$(clb2 -j stats | jq .drop_no_session)
	ok "delayed: another one joins" start_sync node2 2
	via 2
	tell client ping m >"$TMP/ping"
	ok "delayed: packets came there before the sessions" \
		[ "$(clb2 -j stats | jq .drop_no_session)" -gt "$before" ]
	ok "delayed: it gets ready" wait_for 30 is_ready node2
	is "delayed: not before it has the connections" "$(known node2)" 5
	is "delayed: none was reset" "$(tell client ended m 0 |
		sed 's/ open=.*//')" "reset=0 eof=0"
	via 1
	in_ns node tc qdisc del dev sync root
	tell client close m >"$TMP/close"
	cluster_down
	both session del
}

# A node that heard nobody when it started finds one that has copies: of those
# that it made itself in an earlier life, too.
test_elder() {
	vip_of 4
	via 2
	# or who has its sessions ended resets them
	config nat reset off
	cluster_up && wait_for 10 both_ready
	tell client open n "$vip" "$ECHO_PORT" 5 >"$TMP/open"
	ok "elder: the other node has copies" wait_for 10 tables_equal 5
	ip -n "$NS-node2" link set sync down
	clb2 sync stop && clb2 session del
	ok "elder: started anew, cut off, the first one is ready alone" \
		alone node2 2
	ip -n "$NS-node2" link set sync up
	ok "elder: united, it fetches the copies" wait_for 20 tables_equal 5
	is "elder: the connections go on there" "$(tell client ping n)" 5
	via 1
	tell client close n >"$TMP/close"
	cluster_down
	both session del
}

# What was told once, to nodes that are gone or have forgotten, is told again.
test_return() {
	vip_of 4
	via 1
	config nat
	cluster_up && wait_for 10 hear_each_other
	tell client open j "$vip" "$ECHO_PORT" 5 >"$TMP/open"
	ok "the other node knows 5 connections" wait_for 10 tables_equal 5
	cluster_down
	clb2 session del
	ok "it forgets them while sync is off, and is ready alone" \
		alone node2 2
	ok "the first node comes" start_sync node 1
	ok "and tells of them anew" wait_for 10 tables_equal 5
	tell client close j >"$TMP/close"
	cluster_down
	both session del
}
alone() { start_sync "$@" && wait_for 10 is_ready "$1"; }	# NODE ID

# The link is cut; what happened meanwhile is known after it.
test_cut() {
	vip_of 4
	via 1
	config nat
	cluster_up && wait_for 10 hear_each_other
	tell client open i "$vip" "$ECHO_PORT" 5 >"$TMP/open"
	wait_for 10 tables_equal 5
	ip -n "$NS-node2" link set sync down
	ok "cut off, one node has its sessions ended by hand" clb session del
	tell client close i rst >"$TMP/close"
	is "and has new ones" \
		"$(tell client open i "$vip" "$ECHO_PORT" 3)" "open 3"
	is "the other node does not know" "$(known node2)" 5
	ip -n "$NS-node2" link set sync up
	ok "united, it knows the new ones, and no others" \
		wait_for 20 tables_equal 3
	ok "and has told the first node nothing of what is dead" knows node 3
	tell client close i >"$TMP/close"
	cluster_down
	both session del
}

hears_changes() { clb2 settings set fast-path on && [ -s "$TMP/monitor" ]; }

# Two that were ready, each for itself, before they met.
test_meet() {
	vip_of 4
	config nat
	ip -n "$NS-node2" link set sync down
	cluster_up
	ok "two nodes that do not hear each other get ready" \
		wait_for 10 both_ready
	via 1
	is "one has connections" \
		"$(tell client open j "$vip" "$ECHO_PORT" 4)" "open 4"
	via 2
	is "the other one has connections" \
		"$(tell client open k "$vip" "$ECHO_PORT" 3)" "open 3"
	ip -n "$NS-node2" link set sync up
	ok "they meet, and both have all" wait_for 20 tables_equal 7
	is "the first ones go on at the other node" "$(tell client ping j)" 4
	via 1
	is "and the others at this one" "$(tell client ping k)" 3
	tell client close j >"$TMP/close"
	tell client close k >"$TMP/close"
	cluster_down
	both session del
}
both_ready() { is_ready node && is_ready node2; }

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
	both session del
}

# Local addresses of the nodes, of the servers' network but no part of it: who
# serves them is a route.
local_of() { # FAMILY NODE
	[ "$1" = 4 ] && echo "198.51.100.20$2" || echo "2001:db8:5::20$2"
}
local_via() { # FAMILY OWNER NODE: servers send to the owner's address by a node
	local ns next="198.51.100.$3"

	[ "$1" = 4 ] || next="2001:db8:5::$3"
	for ns in s1 s2; do
		ip -n "$NS-$ns" "-$1" route replace "$(local_of "$1" "$2")" \
			via "$next"
	done
}
locals_up() { # FAMILY
	local n bits=32

	[ "$1" = 4 ] || bits=128
	for n in 1 2; do
		local_via "$1" "$n" "$n"
		ip -n "$NS-node" addr replace "$(local_of "$1" "$n")/$bits" dev lo
		ip -n "$NS-node2" addr replace "$(local_of "$1" "$n")/$bits" dev lo
	done
}
local_is() { [ "$(local_attr "$1" "$2" "$3")" = "$4" ]; }
node_links() { # up|down
	local device

	for device in sync front back; do
		ip -n "$NS-node" link set "$device" "$1"
	done
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
	local name="takeover IPv$1" mine other download monitor

	events=$TMP/events.$1

	vip_of "$1"
	via 1
	mine=$(local_of "$1" 1)
	other=$(local_of "$1" 2)
	config fnat
	locals_up "$1"
	ok "$name: the nodes have the same local addresses" \
		both local add "$mine" node 1
	both local add "$other" node 2
	is "$name: a saved configuration says whose they are" \
		"$(clb save | grep -c "^local add .* node [12]$")" 2
	cluster_up
	ok "$name: the nodes get ready" wait_for 10 both_ready
	is "$name: each node uses its own" "$(both -j local |
		jq -c 'map(.active)')" "[true,false]
[false,true]"
	is "$name: 10 connections through the first node" \
		"$(tell client open a "$vip" "$ECHO_PORT" 10)" "open 10"
	ok "$name: the other node has them" wait_for 10 tables_equal 10
	is "$name: from the first node's address" "$(on node2 -j session |
		jq -c 'map(.local_address) | unique')" "[\"$mine\"]"
	is "$name: their ports are marked at the other node" \
		"$(local_attr node2 "$mine" sessions)" 10
	rm -f "$TMP/got"
	spawn download "$TMP/got"
	download=$spawned
	ok "$name: a download begins" wait_for 10 has_some "$TMP/got"
	spawn "$CLBCTL" -n "$NS-node2" -j monitor >"$events"
	monitor=$spawned
	ok "$name: somebody listens" wait_for 20 hears_events
	node_links down
	not_ok "$name: a node does not take over itself" clb2 sync takeover 2
	not_ok "$name: nor one that has no address" clb2 sync takeover 7
	not_ok "$name: what was not taken is not given" clb2 sync giveback 1
	ok "$name: the first node dies, the other takes over" clb2 sync takeover 1
	not_ok "$name: not twice" clb2 sync takeover 1
	ok "$name: an event names the address to announce" \
		wait_for 10 event_came sync-takeover "$mine"
	is "$name: and no other one" "$(events_of sync-takeover "$other")" 0
	is "$name: new sessions use both addresses" \
		"$(on node2 -j local | jq -c 'map(.active)')" "[true,true]"
	via 2
	local_via "$1" 1 2
	ok "$name: the download goes on and ends whole" ends_well "$download"
	is "$name: so do the connections" "$(tell client ping a)" 10
	# of two addresses, the second byte of the client's port chooses
	is "$name: a new connection works" \
		"$(tell client open b "$vip" "$ECHO_PORT" 1 20000)" "open 1"
	is "$name: another one, too" \
		"$(tell client open c "$vip" "$ECHO_PORT" 1 20256)" "open 1"
	is "$name: from either address" "$(for port in 20000 20256; do
		on node2 -j session | jq -r ".[] |
			select(.client_port == $port).local_address"
		done | sort | tr '\n' ' ')" "$mine $other "
	ok "$name: no session has another one's port" tuples_unique node2
	is "$name: the old connections were not disturbed" \
		"$(tell client ping a)" 10
	is "$name: nothing is given back yet" \
		"$(events_of sync-giveback "$mine")" 0
	[ "$2" = cut ] || { clb sync stop && clb session del; }
	node_links up
	[ "$2" = cut ] || start_sync node 1
	ok "$name: the first node returns ($2), and gets its address back" \
		wait_for 20 event_came sync-giveback "$mine"
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
	both session del
}
hears_events() { clb2 settings set fast-path on && [ -s "$events" ]; }

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
	both session del
	ok "late: the ports are free with the sessions" \
		wait_for 10 local_is node2 "$address" sessions 0
	via 1
}

test_strangers() {
	vip_of 4
	via 1
	config nat && cluster_up && wait_for 10 hear_each_other
	tell client open f "$vip" "$ECHO_PORT" 5 >"$TMP/open"
	wait_for 10 tables_equal 5
	relay ip netns exec "$NS-stranger" "$SELFTESTS/sync.py" attack \
		"$NS-node2" sync "$GROUP4" "$TMP/secret"
	is "the connections did not notice" "$(tell client ping f)" 5
	tell client close f >"$TMP/close"
	cluster_down
	both session del
}

# A namespace goes while it takes part; so does the device.
test_going() {
	cluster_up && wait_for 10 hear_each_other
	ok "the device to the others goes" ip -n "$NS-node2" link del sync
	ok "sync can be stopped then" clb2 sync stop
	ok "a node's namespace goes while it takes part" ip netns del "$NS-node"
}

! part control || test_control
! part apart || test_apart
! part rotate || test_rotate
! part peers || {
	test_peers 4
	test_peers 6
}
for mode in nat dr; do
	for family in 4 6; do
		! part "$mode$family" || test_move "$mode" "$family"
	done
done
! part gone || test_gone
! part listener || {
	test_listener first 1 1
	test_listener established 0 1
	test_listener off 0 0
}
! part refresh || test_refresh
! part idle || test_idle
! part conflict || test_conflict
! part loss || test_loss
! part join || test_join
! part delayed || test_delayed
! part elder || test_elder
! part return || test_return
! part cut || test_cut
! part meet || test_meet
! part fnat || test_fnat
! part takeover || {
	test_takeover 4 cut
	test_takeover 6 restart
}
! part late || test_local_late
! part strangers || test_strangers
! part going || test_going
done_testing
