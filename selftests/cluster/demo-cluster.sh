#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: demo-cluster.sh
# A cluster loses a node, and no connection: a router, three nodes, servers
# (lib.sh); long downloads run while nodes are killed and return. Fails if a
# download broke, or had a byte that it should not.
#
# environment:
#	MODE=nat		of the listeners: nat, fnat, dr
#	CONNECTIONS=200		downloads
#	KILLED="1 2"		the nodes that are killed, one after the other
. "$(dirname "$0")/lib.sh"
# shellcheck source=selftests/narrate.sh
. "$SELFTESTS/narrate.sh"

MODE=${MODE:-nat} CONNECTIONS=${CONNECTIONS:-200} KILLED=${KILLED:-1 2}

router() { shown "router# $*" in_ns router "$@" || die "the command failed"; }
node() { # NODE ARGUMENT... of clbctl
	shown "node$1# clbctl ${*:2}" on_clb "$@" || die "the command failed"
}

# When it returns all downloads have got something new, or are broken.
look() {
	local got

	got=$(tell flows report)
	[[ $got =~ ^transferring=([0-9]+)\ .*\ broken=([0-9]+)\ .*=(.*) ]] ||
		die "the clients say: $got"
	broken=${BASH_REMATCH[2]}
	echo "   ${BASH_REMATCH[1]} of $CONNECTIONS downloads go on," \
		"the longest pause was ${BASH_REMATCH[3]} s"
	cat "$TMP/flows.err"
}

lose_and_return() { # NODE
	local rest

	rest=$(others "$1")
	say "Node $1 is killed, as if its power had gone"
	kill_node "$1"
	# shellcheck disable=SC2086 # words are meant to split
	wait_for 60 hops_are $rest || die "the router does not see it"
	router ip route show "$VIP4"
	look
	node "${rest%% *}" sync peers

	say "Node $1 is started again, and gets the sessions of the others"
	boot_node "$1"
	# shellcheck disable=SC2086 # words are meant to split
	wait_for 300 hops_are $NODES || die "it is not announced"
	router ip route show "$VIP4"
	look
	node "$1" sync peers
}

why=$(rig_possible) || die "$why"

say "The network: clients, a router, three nodes, servers"
sed -n '/^#\tc1 /,/default route: inner/s/^#//p' "$CLUSTER/lib.sh"
rig_up || die "no network"

say "The nodes start: each a virtual machine with clb, BIRD and clb-announce"
cluster_up "$MODE" || die "the nodes are not announced"
node 1 listener
node 1 sync peers
router ip route show "$VIP4"

say "$CONNECTIONS downloads begin, from $CLIENTS addresses of each family"
open_flows "$CONNECTIONS" 0 >"$TMP/opened"
grep -qx "transferring=$CONNECTIONS idle=0" "$TMP/opened" ||
	die "not all begin: $(cat "$TMP/opened")"
look
for n in $NODES; do
	node "$n" session count
done

for n in $KILLED; do
	lose_and_return "$n"
done

say "The nodes are stopped; nothing may be amiss in their kernels' logs"
cluster_down || die "a node's kernel complains"
printf '\n%s connections, %s broken\n' "$CONNECTIONS" "$broken"
[ "$broken" -eq 0 ]
