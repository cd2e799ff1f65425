#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: run.sh
# Nodes are killed and come back while connections go on: 1,000 that transfer,
# 500 idle ones, 200 that are half-open at the moment of the kill. Then
# BIRD of one node crashes, and another one is taken out and comes back. Nothing may
# break. At the end a node loses its servers, and one its module. The cluster is
# drawn in lib.sh. Prints TAP, and last a table of what was measured.
#
# environment:
#	ROUNDS=1		kills, each of another node
#	MODES="nat"		of the listeners: nat, fnat, dr
#	TRANSFERRING=1000 IDLE=500 HALF=200	connections
. "$(dirname "$0")/lib.sh"

ROUNDS=${ROUNDS:-1} MODES=${MODES:-nat}
TRANSFERRING=${TRANSFERRING:-1000} IDLE=${IDLE:-500} HALF=${HALF:-200}
LIVE="transferring=$TRANSFERRING idle=$IDLE broken=0"

why=$(rig_possible) || skip_all "$why"

# What the client saw, and what nodes did of which they should have done nothing.
tell_why() {
	local n

	diag "$(head -n 20 "$TMP/flows.err" "$TMP/half.err")"
	for n in $NODES; do
		diag "n$n: $(on_clb "$n" stats | xargs)"
		diag "n$n: $(on_clb "$n" -j sync)"
		diag "n$n: $(on "$n" dmesg \| tail -n 3)"
	done
	diag "$(tail -n 20 "$TMP/router.log")"
}

report() { # NAME: all live; sets stall, the longest one
	local got

	got=$(tell flows report)
	is "$1: $LIVE" "${got% *}" "$LIVE"
	last_ok || tell_why
	stall=${got##*=}
	diag "$1: the longest stall was $stall s," \
		"$(taps_dropped) packets were too many for the machines so far"
}

# Half of them are ended while the node is away, half when it is back.
finish() { # NAME HOW-MANY
	is "$1: handshakes go on" "$(tell half finish "$2")" \
		"finished=$2 broken=0"
	last_ok || tell_why
	is "$1: idle connections, too" "$(tell flows ping)" "idle=$IDLE"
}

# What is opened within the last 10 ms of a node is lost with it: nobody was told.
all_know() { # MODE: of the half-open ones
	local n state=syn-recv

	[ "$1" != dr ] || state=syn-sent
	for n in $NODES; do
		[ "$(on_clb "$n" session count state "$state")" = "$HALF" ] ||
			return
	done
}

# A row of the table at the end.
note() { # MODE ROUND NODE ...
	printf '%-5s %5s %5s %9s %9s %12s %12s\n' "$@" >>"$TMP/measured"
}

round() { # MODE ROUND NODE
	local name="$1, round $2" t gone back without

	is "$name: $HALF are half-open" "$(tell half open "$HALF" \
		"$FLOWS_PORT" "$VIP4" "$(client4 2)" "$VIP6" "$(client6 2)")" \
		"half-open=$HALF"
	ok "$name: as all nodes know" wait_for 30 all_know "$1"
	t=$(now_ms)
	kill_node "$3"
	# shellcheck disable=SC2046 # words are meant to split
	ok "$name: node $3 is killed; the router sees it" \
		wait_for 30 hops_are $(others "$3")
	gone=$(($(now_ms) - t))
	finish "$name, without it" $((HALF / 2))
	report "$name, without it"
	without=$stall
	t=$(now_ms)
	boot_node "$3"
	# shellcheck disable=SC2086 # words are meant to split
	ok "$name: it is back, and announced" wait_for 600 hops_are $NODES
	back=$(($(now_ms) - t))
	finish "$name, with it" $((HALF - HALF / 2))
	report "$name, with it"
	note "$1" "$2" "$3" "$gone" "$back" "$without" "$stall"
}

# Nothing is sent to a node that leaves without a word of its clients.
leaves() { # MODE NODE WHAT LEAVE RETURN
	local name="$1, $3" rest

	rest=$(others "$2")
	ok "$name" wait_for 30 "$4" "$2"
	# shellcheck disable=SC2086 # words are meant to split
	ok "$name: the router sees it" wait_for 30 hops_are $rest
	# shellcheck disable=SC2086 # words are meant to split
	ok "$name: so does the servers' router" wait_for 30 answers_are $rest
	"${live:-true}" "$name, without it"
	ok "$name: it comes back" "$5" "$2"
	# shellcheck disable=SC2086 # words are meant to split
	ok "$name: at the router" wait_for 60 hops_are $NODES
	# shellcheck disable=SC2086 # words are meant to split
	ok "$name: at the servers' router" wait_for 60 answers_are $NODES
	"${live:-true}" "$name, with it"
}

run_mode() { # MODE
	local i live=report

	ok "$1: three nodes are ready and announced" cluster_up "$1"
	last_ok || return
	is "$1: connections are opened" \
		"$(open_flows "$TRANSFERRING" "$IDLE")" "transferring=$TRANSFERRING idle=$IDLE"
	for i in $(seq "$ROUNDS"); do
		round "$1" "$i" $(((i - 1) % 3 + 1))
	done
	leaves "$1" 3 "BIRD of node 3 crashes" crash_bird start_bird
	leaves "$1" 2 "node 2 is taken out" stop_announce start_announce
	is "$1: connections end" "$(tell flows close)" \
		"closed=$((TRANSFERRING + IDLE))"
	live=''
	leaves "$1" 1 "node 1 loses its servers" servers_down servers_up
	leaves "$1" 2 "node 2 loses its module" unload_clb load_clb
	ok "$1: nodes end with a clean kernel log" cluster_down
}

ok "the router, clients and servers are there" rig_up
last_ok || done_testing
note mode round node gone/ms back/ms stall/s stall-back/s
for mode in $MODES; do
	run_mode "$mode"
done
diag "$(cat "$TMP/measured")"
done_testing
