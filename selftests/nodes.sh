# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Several nodes in the picture of lib.sh, and the link by which they tell each
# other of their sessions. Sourced, behind lib.sh.
#
#	-+--+---+--------+--------+---- front
#	 c1 c2  | .1     | .2     | .3
#	       node    node2    node3 --.. link 10.7.0.0/24, 2001:db8:7::/64
#	-+--+---+--------+--------+---- back
#	 s1 s2
#
# A router that changes its mind is clients and servers whose next hop is another
# node (via).

# shellcheck disable=SC2034 # for tests
readonly GROUP4=239.7.0.1 GROUP6=ff02::7:1 ECHO_PORT=7000
NODES=node		# nodes_up adds to it

# link_plug NAMESPACE NUMBER: onto the link, as device sync.
link_plug() {
	_plug "$1" sync sync
	ip -n "$NS-$1" -batch - <<-IP
	link set sync up
	addr add 10.7.0.$2/24 dev sync
	addr add 2001:db8:7::$2/64 dev sync nodad
	IP
}

# link_up: the first node has it, too.
link_up() {
	ip -n "$NS-net" link add sync up type bridge mcast_snooping 0 &&
		link_plug node 1
}

# nodes_up COUNT: the whole picture, with TCP at both servers, a client, and
# secrets: the cluster's and another.
nodes_up() {
	local n

	topo_up 2 && link_up || return
	for n in $(seq 2 "$1"); do
		_node_up "node$n" "$n" && link_plug "node$n" "$n" || return
		NODES+=" node$n"
	done
	start_tcp 1 && start_tcp 2 && start_client || return
	(umask 077 && printf '%064d\n' 7 >"$TMP/secret" &&
		printf '%064d\n' 8 >"$TMP/other")
}

# big_file [KBYTES]: to download, and long on its way: a client's buffers could hold
# all of it before another node gets to see any.
big_file() {
	make_file big "${1:-$(size 20000 4000)}"
	ip netns exec "$NS-c1" sysctl -qw net.ipv4.tcp_rmem="4096 65536 65536"
}
# FILE: of what is being downloaded
has_some() { [ "$(stat -c %s "$1" 2>/dev/null || echo 0)" -gt 200000 ]; }

passed_by() { # NODE: packets from clients
	local list sum=0

	list=$(on "$1" -j listener)
	while [[ $list =~ \"in_packets\":([0-9]+)(.*) ]]; do
		sum=$((sum + BASH_REMATCH[1])) list=${BASH_REMATCH[2]}
	done
	echo "$sum"
}

on() { # NODE ARGUMENT...
	${_exec:-} "$CLBCTL" -n "$NS-$1" "${@:2}"
}
on_all() { # ARGUMENT...
	local node

	for node in $NODES; do
		on "$node" "$@" || return
	done
}
# field NAME JSON: what the first object has by that name, as jq -r prints it. To
# start jq takes longer than all else that a look at a node needs.
field() {
	[[ $2 =~ \"$1\":(\"([^\"]*)\"|([^],}]*)) ]] &&
		echo "${BASH_REMATCH[2]}${BASH_REMATCH[3]}" || echo null
}
sync_of() { field "$2" "$(on "$1" -j sync)"; }	# NODE NAME
sum_of() { # COUNTER NODE...: of all of them
	local node sum=0

	for node in "${@:2}"; do
		sum=$((sum + $(sync_of "$node" "$1")))
	done
	echo "$sum"
}
missed() { sum_of missed "$@"; }	# NODE...: datagrams, by all of them
# Connections begin one by one until one of the nodes has missed a datagram,
# which is luck where the link loses some: $more of them.
miss_some() { # ADDRESS NODE...
	more=0
	while [ "$(missed "${@:2}")" = 0 ] && [ "$more" -lt 200 ]; do
		more=$((more + 1))
		tell client open "more$more" "$1" "$ECHO_PORT" >"$TMP/more"
	done
	[ "$more" -lt 200 ]
}
local_attr() { # NODE ADDRESS NAME
	on "$1" -j local | jq -r ".[] | select(.address == \"$2\").$3"
}
peer_of() { # NODE NAME: what it knows of another
	field "$2" "$(on "$1" -j sync peers)"
}

# Listeners of HTTP and of the echo (conn.py), in both families. Their servers are
# of the same one, unless SERVERS_OF says which.
config() { # MODE [KEYWORD VALUE]...
	# shellcheck disable=SC2034 # vip_of sets what the caller has set
	local f server port vip vip_host node

	for f in 4 6; do
		vip_of "$f"
		server=server${SERVERS_OF:-$f}
		for port in 80 "$ECHO_PORT"; do
			echo "listener add tcp $vip_host:$port mode $*"
			echo "server add tcp $vip_host:$port $("$server" 1)"
			echo "server add tcp $vip_host:$port $("$server" 2)"
		done
	done >"$TMP/config"
	on_all flush
	for node in $NODES; do
		on "$node" restore "$TMP/config" || return
	done
}

start_sync() { # NODE ID [KEYWORD VALUE]...
	on "$1" sync start node "$2" interface sync \
		secret "${SECRET:-$TMP/secret}" group "${GROUP:-$GROUP4}" "${@:3}"
}
cluster_up() {
	local node id=0

	for node in $NODES; do
		id=$((id + 1))
		start_sync "$node" "$id" || return
	done
}
cluster_down() { on_all sync stop; }
hear_each_other() {
	local node nodes

	read -ra nodes <<<"$NODES"
	for node in $NODES; do
		[ "$(sync_of "$node" peers)" = $((${#nodes[@]} - 1)) ] || return
	done
}
alone() { start_sync "$@" && wait_for 10 is_ready "$1"; }	# NODE ID
is_ready() { [ "$(sync_of "$1" ready)" = true ]; }
all_ready() {
	local node

	for node in $NODES; do
		is_ready "$node" || return
	done
}
counter_above() { [ "$(sync_of "$1" "$2")" -gt "$3" ]; }	# NODE NAME NUMBER

# next_hop ADDRESS4 ADDRESS6 NAMESPACE...: theirs from now on.
next_hop() {
	local ns

	for ns in "${@:3}"; do
		ip -n "$NS-$ns" -batch - <<-IP
		route replace default via $1
		route replace default via $2
		IP
	done
}
# via NUMBER: clients and servers send by this node from now on.
via() {
	next_hop "192.0.2.$1" "2001:db8:c::$1" c1 c2
	servers_via "$1"
}
servers_via() { # NUMBER
	next_hop "198.51.100.$1" "2001:db8:5::$1" s1 s2
}

both_servers() { # NODE VERB [STATE]
	local i

	for i in 1 2; do
		on "$1" server "$2" tcp "$vip:$ECHO_PORT" \
			"$(server4 "$i")" ${3:+state "$3"} || return
	done
}

# tables_list NAME: all nodes' sessions, for tables_agree NAME.
tables_list() {
	local node

	for node in $NODES; do
		on "$node" -j session >"$TMP/list.$1.$node" || return
	done
}
# One a line, but for how long they have left.
table() { # LIST
	sed 's/^\[//; s/[],]$//; s/,"expires_ms":[0-9]*//; /^$/d' "$1" | sort
}
tables_agree() { # NAME [HOW-MANY]: with so many sessions in each
	local node

	table "$TMP/list.$1.node" >"$TMP/table"
	for node in ${NODES#node}; do
		table "$TMP/list.$1.$node" >"$TMP/table.$node"
		diff "$TMP/table" "$TMP/table.$node" || return
	done
	[ "${2:-$(wc -l <"$TMP/table")}" = "$(wc -l <"$TMP/table")" ] && return
	grep -o '"state":"[^"]*"' "$TMP/table" | sort | uniq -c
	return 1
}
# [HOW-MANY]
tables_equal() { tables_list now && tables_agree now "$@"; }
known() { # NODE FILTER...: how many sessions
	on "$1" session count "${@:2}"
}
knows() { [ "$(known "$1" "${@:3}")" = "$2" ]; }	# NODE HOW-MANY FILTER...
