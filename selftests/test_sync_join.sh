#!/bin/bash
# SPDX-License-Identifier: MIT
# Session sync: datagrams get lost, nodes join, return, are cut off and meet again:
# what one node knows the other does in the end. The topology is in nodes.sh.
. "$(dirname "$0")/lib.sh"
# shellcheck source=selftests/nodes.sh
. "$SELFTESTS/nodes.sh"

nodes_up 2 || exit 1

# What got lost is said again, what came twice or late does no harm.
test_loss() {
	local n=100 more

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
	ok "datagrams are missing" miss_some "$vip" node2
	ok "the other node has all sessions" \
		wait_for 10 tables_equal $((n + more))
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
	local n monitors

	n=$(size 1000 100)
	vip_of 4
	via 1
	config nat
	ok "a node starts alone" start_sync node 1
	ok "it waits for others, then it is ready" wait_for 10 is_ready node
	is "$n connections are opened" \
		"$(tell client open h "$vip" "$ECHO_PORT" "$n")" "open $n"
	spawn on node2 monitor >"$TMP/monitor"
	monitors=$spawned
	spawn on node2 -j monitor >"$TMP/monitor-j"
	monitors+=" $spawned"
	ok "somebody listens there" wait_for 20 hears_changes
	ok "a node joins" start_sync node2 2
	ok "it gets ready" wait_for 10 is_ready node2
	ok "the event says so" wait_for 10 grep -qx "sync ready" "$TMP/monitor"
	ok "in JSON, too, and of which node" wait_for 10 ready_event node2 2
	# shellcheck disable=SC2086 # words are meant to split
	stop $monitors
	ok "it has the connections" wait_for 10 tables_equal "$n"
	is "they were told once" "$(sync_of node2 created)" "$n"
	ok "it leaves, with its sessions ended, and comes back" rejoin
	ok "it has them again" wait_for 10 tables_equal "$n"
	via 2
	is "all go on through it" "$(tell client ping h)" "$n"
	via 1
	tell client close h >"$TMP/close"
	cluster_down
	on_all session del
}
rejoin() {
	on node2 sync stop && on node2 session del && start_sync node2 2 &&
		wait_for 10 is_ready node2
}
hears_changes() {
	on node2 settings set fast-path on && [ -s "$TMP/monitor" ] &&
		[ -s "$TMP/monitor-j" ]
}
ready_event() { # NODE ID: once, with what sync shows
	jq -s -e 'map(select(.event == "sync-ready").sync) |
		map([.running, .ready, .node, .interface, .group, .epoch]) ==
		[[true, true, '"$2, \"sync\", \"$GROUP4\", $(sync_of "$1" epoch)"']]' \
		"$TMP/monitor-j"
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
	before=$(on node2 -j stats | jq .drop_no_session)
	ok "delayed: another one joins" start_sync node2 2
	via 2
	tell client ping m >"$TMP/ping"
	ok "delayed: packets came there before the sessions" \
		[ "$(on node2 -j stats | jq .drop_no_session)" -gt "$before" ]
	ok "delayed: it gets ready" wait_for 30 is_ready node2
	is "delayed: not before it has the connections" "$(known node2)" 5
	is "delayed: none was reset" "$(tell client ended m 0 |
		sed 's/ open=.*//')" "reset=0 eof=0"
	via 1
	in_ns node tc qdisc del dev sync root
	tell client close m >"$TMP/close"
	cluster_down
	on_all session del
}

# A node that heard nobody when it started finds one that has copies: of those
# that it made itself in an earlier life, too.
test_elder() {
	vip_of 4
	via 2
	# or who has its sessions ended resets them
	config nat reset off
	cluster_up && wait_for 10 all_ready
	tell client open n "$vip" "$ECHO_PORT" 5 >"$TMP/open"
	ok "elder: the other node has copies" wait_for 10 tables_equal 5
	ip -n "$NS-node2" link set sync down
	on node2 sync stop && on node2 session del
	ok "elder: started anew, cut off, the first one is ready alone" \
		alone node2 2
	ip -n "$NS-node2" link set sync up
	ok "elder: united, it fetches the copies" wait_for 20 tables_equal 5
	is "elder: the connections go on there" "$(tell client ping n)" 5
	via 1
	tell client close n >"$TMP/close"
	cluster_down
	on_all session del
}

# The same, where it is the one with the copies that starts sync later.
test_younger() {
	vip_of 4
	via 1
	config nat reset off
	cluster_up && wait_for 10 all_ready
	tell client open n "$vip" "$ECHO_PORT" 5 >"$TMP/open"
	ok "younger: the other node has copies" wait_for 10 tables_equal 5
	on node2 sync stop
	clb sync stop && clb session del
	ok "younger: started anew, the first one is ready alone" alone node 1
	ok "younger: the other one starts sync again" start_sync node2 2
	ok "younger: what it has the first one gets" wait_for 20 tables_equal 5
	is "younger: the connections go on there" "$(tell client ping n)" 5
	tell client close n >"$TMP/close"
	cluster_down
	on_all session del
}

# A connection that began while sync was stopped, where another node has a copy of
# an earlier one from the same port.
test_stopped() {
	local new

	vip_of 4
	via 1
	config nat reset off
	cluster_up && wait_for 10 all_ready
	tell client open n "$vip" "$ECHO_PORT" 1 20001 >"$TMP/open"
	ok "stopped: the other node has a copy" wait_for 10 tables_equal 1
	# on all nodes: they have one kernel, which does without births then
	cluster_down
	ok "stopped: the client comes again and gets another server" comes_again
	cluster_up
	ok "stopped: the nodes agree" wait_for 20 tables_equal 1
	is "stopped: on the new server" "$(server_of node2)" "$(server_of node)"
	is "stopped: with which the connection goes on" \
		"$(tell client ping o) $(server_of node)" "1 $new"
	tell client close o >"$TMP/close"
	cluster_down
	on_all session del
}
server_of() { on "$1" -j session show | jq -r '.[].server_address'; }
comes_again() { # sets $new
	local old

	old=$(server_of node)
	clb server set tcp "$vip_host:$ECHO_PORT" "$old" weight 0 || return
	tell client close n rst
	tell client open o "$vip" "$ECHO_PORT" 1 20001
	new=$(server_of node)
	echo "$old, then $new, of $(known node)"
	[ "$new" != "$old" ] && [ "$(known node)" = 1 ]
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
	on node2 session del
	ok "it forgets them while sync is off, and is ready alone" \
		alone node2 2
	ok "the first node comes" start_sync node 1
	ok "and tells of them anew" wait_for 10 tables_equal 5
	tell client close j >"$TMP/close"
	cluster_down
	on_all session del
}

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
	on_all session del
}

# One node does not hear the other, which says more than it can say again.
test_overrun() {
	local heard

	vip_of 4
	via 1
	config nat
	cluster_up && wait_for 10 all_ready
	tell client open s "$vip" "$ECHO_PORT" 5 >"$TMP/open"
	ok "overrun: the other node has the connections" wait_for 10 tables_equal 5
	in_ns node tc qdisc add dev sync root netem loss 100%
	heard=$(sync_of node sent_datagrams)
	ok "overrun: so much is said in vain" says_in_vain $((heard + 1100))
	is "overrun: there are new connections" \
		"$(tell client open t "$vip" "$ECHO_PORT" 3)" "open 3"
	is "overrun: the other node does not know" "$(known node2)" 5
	in_ns node tc qdisc del dev sync root
	ok "overrun: then it has a gap that cannot be mended" \
		wait_for 20 counter_above node2 gaps_lost 0
	ok "overrun: and is told of the peer whose it is" \
		[ "$(peer_of node2 gaps_lost)" -gt 0 ]
	ok "overrun: all the same, the tables are equal" wait_for 20 tables_equal
	is "overrun: with what is open" "$(known node2 state established)" 8
	via 2
	is "overrun: which goes on there" \
		"$(tell client ping s) $(tell client ping t)" "5 3"
	via 1
	tell client close s >"$TMP/close"
	tell client close t >"$TMP/close"
	cluster_down
	on_all session del
}
says_in_vain() { # NUMBER: connections come and go until it has sent so many
	local i

	for i in {1..500}; do
		! counter_above node sent_datagrams "$1" || return 0
		[ "$(tell client open u "$vip" "$ECHO_PORT" 20)" = "open 20" ] &&
			tell client close u rst || return
	done
	return 1
}

# Of a node that hears nobody any more, others may have connections that it does
# not know: these are not reset there.
test_isolated() {
	local before

	vip_of 4
	via 1
	config nat
	cluster_up && wait_for 10 hear_each_other
	ok "isolated: a node has the sessions of the others" \
		wait_for 10 all_ready
	ip -n "$NS-node2" link set sync down
	ok "isolated: it hears nobody" wait_for 10 hears_nobody node2
	is "isolated: a connection is opened elsewhere" \
		"$(tell client open p "$vip" "$ECHO_PORT")" "open 1"
	before=$(on node2 -j stats | jq .drop_no_session)
	via 2
	tell client ping p >"$TMP/ping"
	ok "isolated: its packets come there" \
		[ "$(on node2 -j stats | jq .drop_no_session)" -gt "$before" ]
	is "isolated: it is not reset" "$(tell client ended p 0)" \
		"reset=0 eof=0 open=1"
	ip -n "$NS-node2" link set sync up
	ok "isolated: united, the node knows it" wait_for 20 tables_equal 1
	ok "isolated: and it goes on there, once the client says it again" \
		wait_for 20 works p
	via 1
	tell client close p >"$TMP/close"
	cluster_down
	on_all session del
}
works() { [ "$(tell client ping "$1")" = 1 ]; }	# NAME
hears_nobody() { [ "$(peer_of "$1" heard_ms)" -gt 3500 ]; }	# for 3 s

# A server that is down, or missing, at one node alone: sessions that others have
# with it are known there once it is back.
test_lacking() {
	local word lose gain

	vip_of 4
	via 1
	config nat
	cluster_up && wait_for 10 all_ready
	tell client open q "$vip" "$ECHO_PORT" 6 >"$TMP/open"
	ok "lacking: both nodes have the sessions" wait_for 10 tables_equal 6
	for word in "state down" gone; do
		lose=(set down) gain=set
		[ "$word" != gone ] || lose=(del) gain=add
		ok "lacking: servers are $word at one node" \
			both_servers node2 "${lose[@]}"
		ok "lacking: $word: no session is left there" \
			wait_for 20 knows node2 0
		ok "lacking: $word: they are back" \
			both_servers node2 "$gain" up
		ok "lacking: $word: and so are the sessions" \
			wait_for 10 tables_equal 6
	done
	via 2
	is "lacking: the connections go on there" "$(tell client ping q)" 6
	via 1
	tell client close q >"$TMP/close"
	cluster_down
	on_all session del
}

# A link that takes longer to come up than a node waits for others.
test_link() {
	vip_of 4
	via 1
	config nat
	ip -n "$NS-net" link set node2-sync down
	ok "link: a node starts before its link is up" start_sync node2 2
	ok "link: another one starts, and is ready alone" alone node 1
	tell client open r "$vip" "$ECHO_PORT" 5 >"$TMP/open"
	is "link: the first one is not" "$(sync_of node2 ready)" false
	ip -n "$NS-net" link set node2-sync up
	ok "link: it is when its link is up" wait_for 20 is_ready node2
	# a machine that stands still meanwhile has it ready alone, before
	ok "link: and it has heard of the connections" wait_for 20 knows node2 5
	tell client close r >"$TMP/close"
	cluster_down
	on_all session del
}

# Two that were ready, each for itself, before they met.
test_meet() {
	vip_of 4
	config nat
	ip -n "$NS-node2" link set sync down
	cluster_up
	ok "two nodes that do not hear each other get ready" \
		wait_for 10 all_ready
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
	on_all session del
}

! part loss || test_loss
! part join || test_join
! part delayed || test_delayed
! part elder || test_elder
! part younger || test_younger
! part stopped || test_stopped
! part return || test_return
! part cut || test_cut
! part overrun || test_overrun
! part meet || test_meet
! part isolated || test_isolated
! part lacking || test_lacking
! part link || test_link
done_testing
