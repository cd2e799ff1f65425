# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Two nodes that sync their sessions. Sourced by test_sync*.sh, after lib.sh.
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

# shellcheck disable=SC2034 # for tests
readonly GROUP4=239.7.0.1 GROUP6=ff02::7:1 ECHO_PORT=7000

_link_up() {
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

# nodes_up: the whole picture, with TCP at both servers, a client and secrets.
nodes_up() {
	topo_up 2 && _node_up node2 2 && _link_up &&
		start_tcp 1 && start_tcp 2 && start_client || return
	(umask 077 && printf '%064d\n' 7 >"$TMP/secret" &&
		printf '%064d\n' 8 >"$TMP/other")
}

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

start_sync() { # NODE ID [KEYWORD VALUE]...
	on "$1" sync start node "$2" interface sync secret "$TMP/secret" \
		group "${GROUP:-$GROUP4}" "${@:3}"
}
hear_each_other() {
	[ "$(sync_of node peers) $(sync_of node2 peers)" = "1 1" ]
}
alone() { start_sync "$@" && wait_for 10 is_ready "$1"; }	# NODE ID
cluster_up() { start_sync node 1 && start_sync node2 2; }
cluster_down() { both sync stop; }
counter_above() { [ "$(sync_of "$1" "$2")" -gt "$3" ]; }	# NODE NAME NUMBER
is_ready() { [ "$(sync_of "$1" ready)" = true ]; }
both_ready() { is_ready node && is_ready node2; }

# via 1|2: clients and servers send by this node from now on.
via() {
	local ns

	for ns in c1 c2; do
		ip -n "$NS-$ns" route replace default via "192.0.2.$1"
		ip -n "$NS-$ns" -6 route replace default via "2001:db8:c::$1"
	done
	servers_via "$1"
}
servers_via() { # 1|2
	local ns

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
	# shellcheck disable=SC2034 # vip_of sets what the caller has set
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
