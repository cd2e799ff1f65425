#!/bin/bash
# SPDX-License-Identifier: MIT
# The node itself as a server of its listeners, and as their client.
# Topology: lib.sh.
. "$(dirname "$0")/lib.sh"

topo_up 1 || exit 1
topo_tunnels || exit 1
start_server 1 || exit 1
start_udp 1 || exit 1
make_file big 256

# The node's own nginx and echo answer as "snode".
start_node() {
	local dir=$TMP/snode

	mkdir -p "$dir/put"
	_nginx_conf node "$dir" >"$dir/nginx.conf"
	spawn in_node nginx -p "$dir" -e "$dir/error.log" \
		-c "$dir/nginx.conf" >"$dir/log" 2>&1
	spawn in_node "$SELFTESTS/udp.py" serve snode "$UDP_PORT"
	wait_for 10 in_node curl -sf -m 2 http://127.0.0.1/ &&
		wait_for 10 node_udp_up
}
node_udp_up() { in_node ss -Hlun "sport = :$UDP_PORT" | grep -q .; }

# family 4|6: VIP, how it is written before a port, servers, the node's address,
# the one that its clients use, and one that it has for a while.
family() {
	if [ "$1" = 4 ]; then
		vip=$VIP4 host=$VIP4 source=$NODE_BACK4
		remote=$(server4 1) node=$NODE_BACK4 front=$NODE_FRONT4
		guest=192.0.2.77/24 nodad=
	else
		vip=$VIP6 host=[$VIP6] source=$NODE_BACK6
		remote=[$(server6 1)] node=[$NODE_BACK6] front=$NODE_FRONT6
		guest=2001:db8:c::77/64 nodad=nodad
	fi
}

# add MODE SERVER: TCP and UDP listeners. NAT and FNAT translate the port.
add() {
	local port=80

	case $1 in
	nat|fnat) port=8080 ;;
	esac
	clb listener add tcp "$host:80" mode "$1" &&
		clb server add tcp "$host:80" "$2:$port" &&
		clb listener add udp "$host:$UDP_PORT" mode "$1" &&
		clb server add udp "$host:$UDP_PORT" "$2:$UDP_PORT"
}

remove() {
	clb listener del tcp "$host:80" &&
		clb listener del udp "$host:$UDP_PORT"
}

download() { # WHERE
	in_ns "$1" curl -sSf -m "$((20 * SLOW))" "$(url "$vip" 80 files/big)" |
		cmp - "$TMP/files/big"
}

upload() { # WHERE SERVER
	rm -f "$TMP/$2/put/up"
	in_ns "$1" curl -sSf -m "$((20 * SLOW))" -H Expect: -T "$TMP/files/big" \
		"$(url "$vip" 80 put/up)" &&
		cmp "$TMP/$2/put/up" "$TMP/files/big"
}

# check LABEL CLIENT SERVER: TCP and UDP between them.
check() {
	is "$1: TCP" "$(in_ns "$2" curl -sSf -m "$((20 * SLOW))" \
		"$(url "$vip")" 2>&1)" "$3"
	if last_ok; then
		ok "$1: 256 kB from the server" download "$2"
		ok "$1: 256 kB to the server" upload "$2" "$3"
	fi
	is "$1: UDP" "$(in_ns "$2" "$SELFTESTS/udp.py" ask "$vip" \
		"$UDP_PORT" hello 2>&1)" "$3 hello"
}

# The node is where the packet ends: it may come with the last of its TTL.
last_hop() {
	local rc=0

	ip -n "$NS-c1" route add "$vip" via "$front" hoplimit 1 || return
	ask "$vip" "$UDP_PORT" hello || rc=$?
	ip -n "$NS-c1" route del "$vip"
	return "$rc"
}

# Destination options before UDP: padding.
with_extension_header() {
	ask "$vip" "$UDP_PORT" hello 1 0 IPV6_DSTOPTS 0x0000010400000000
}

sessions() { clb_get .sessions_created stats; }

# combination LABEL MODE CLIENT SERVER SERVER_ADDRESS
combination() {
	local before

	ok "$1: listeners and servers" add "$2" "$5"
	before=$(sessions)
	check "$1" "$3" "$4"
	[ "$3 $4" != "c1 snode" ] || ok "$1: a TTL of 1 arrives" last_hop
	[ "$3 $4 $vip" != "c1 snode $VIP6" ] ||
		is "$1: UDP behind an extension header" \
			"$(with_extension_header 2>&1)" "snode hello"
	ok "$1: by sessions" [ $(($(sessions) - before)) -ge 2 ]
	remove
}

# impostor LABEL MODE: somebody outside claims the node's address, and opens
# sessions from a port that a client on the node uses later.
claimed=4000
impostor() {
	claimed=$((claimed + 1))
	add "$2" "$remote"
	tell raw udp "$vip" "$UDP_PORT" 1 "$source" "$claimed" \
		>"$TMP/forged"
	tell raw flow "$source" "$claimed" "$vip" 80 "$vip" 80 \
		>"$TMP/forged"
	tell raw c S >"$TMP/forged"
	ok "$1: an impostor opens sessions" wait_for 10 opened "$source" 2
	is "$1: UDP from the same port" "$(in_node "$SELFTESTS/udp.py" ask \
		"$vip" "$UDP_PORT" hello 1 "$claimed" 2>&1)" "s1 hello"
	is "$1: TCP from the same port" "$(in_node curl -sSf -m "$((20 * SLOW))" \
		--local-port "$claimed" "$(url "$vip")" 2>&1)" s1
	remove
}
opened() { [ "$(clb session count client "$1")" = "$2" ]; }

# intruder LABEL MODE: the same, once a client on the node has sessions: nothing
# of it reaches them.
intruder() {
	local dropped created

	claimed=$((claimed + 1))
	add "$2" "$remote"
	clb listener add tcp "$host:7000" mode "$2"
	clb server add tcp "$host:7000" "$remote:7000"
	is "$1: UDP of a client on the node" "$(in_node "$SELFTESTS/udp.py" \
		ask "$vip" "$UDP_PORT" hello 1 "$claimed" 2>&1)" "s1 hello"
	is "$1: TCP of a client on the node" \
		"$(tell local open i "$vip" 7000 1 "$claimed")" "open 1"
	dropped=$(stat_of drop_malformed) created=$(sessions)
	tell raw udp "$vip" "$UDP_PORT" 1 "$source" "$claimed" \
		>"$TMP/forged"
	tell raw flow "$source" "$claimed" "$vip" 7000 "$vip" 7000 \
		>"$TMP/forged"
	tell raw c S >"$TMP/forged"
	tell raw c R >"$TMP/forged"
	ok "$1: what comes from outside is dropped" \
		wait_for 10 dropped_since "$dropped" 3
	is "$1: the connection goes on" "$(tell local ping i)" 1
	tell local close i >"$TMP/close"
	ok "$1: it closes" wait_for 10 closing
	tell raw c S >"$TMP/forged"
	ok "$1: a SYN from outside is dropped, too" \
		wait_for 10 dropped_since "$dropped" 4
	is "$1: nothing was opened for it" "$(sessions)" "$created"
	clb listener del tcp "$host:7000"
	remove
}
# moves LABEL: a client's address becomes another host's, and with it its session,
# which is like that of any client then: packets of it take the fast path.
moves() {
	local port fast

	# shellcheck disable=SC2086 # nothing with IPv4
	ip -n "$NS-node" addr add "$guest" dev front $nodad
	add nat "$remote"
	is "$1: a client with an address of its own" "$(tell local uopen m \
		"$vip" "$UDP_PORT" "${guest%/*}")" "s1 hello"
	port=$(clb_get '.[0].client_port' session show client "${guest%/*}")
	ip -n "$NS-node" addr del "$guest" dev front
	fast=$(stat_of fast_packets)
	tell raw udp "$vip" "$UDP_PORT" 1 "${guest%/*}" "$port" >"$TMP/moved"
	ok "$1: it goes on from elsewhere" wait_for 10 passed_in 2
	tell raw udp "$vip" "$UDP_PORT" 1 "${guest%/*}" "$port" >"$TMP/moved"
	ok "$1: once more" wait_for 10 passed_in 3
	is "$1: by the fast path" $(($(stat_of fast_packets) - fast)) 1
	tell local close m >"$TMP/close"
	remove
}
passed_in() {
	[ "$(clb_get '.[].in_packets' server show udp "$host:$UDP_PORT")" = "$1" ]
}
closing() {
	clb_get '.[].state' session show listener tcp "$host:7000" |
		grep -qE 'fin|closing|time-wait'
}
dropped_since() { [ $(($(stat_of drop_malformed) - $1)) -eq "$2" ]; }

# Conntrack is at work, and its view of what reaches sockets on the node is
# counted: a client's packets for a listener are not tracked.
track() {
	in_node nft -f - <<-NFT
	table inet t {
		counter tracked {
		}
		chain in {
			type filter hook input priority 0
			iifname front meta l4proto { tcp, udp } ct state { new, established } counter name tracked
		}
	}
	NFT
}
tracked() {
	in_node nft -j list counter inet t tracked |
		jq '.nftables[] | .counter? | select(.) | .packets'
}

start_node || exit 1
track || exit 1
clb local add "$NODE_BACK4"
clb local add "$NODE_BACK6"
for f in 4 6; do
	part server || continue
	family "$f"
	combination "server on the node, nat IPv$f" nat c1 snode "$node"
	combination "server on the node, fnat IPv$f" fnat c1 snode "$node"
done
is "server on the node: nothing is tracked" "$(tracked)" 0
in_client curl -sSf -m "$((20 * SLOW))" "http://$NODE_FRONT4/" >/dev/null
not_ok "what is no listener's is" [ "$(tracked)" = 0 ]

start_raw && start_tcp 1 &&
	dialogue local in_node "$SELFTESTS/conn.py" client || exit 1
# A client on the node must have some route to the VIP.
ip -n "$NS-node" route add "$VIP4" via "$(server4 1)"
ip -n "$NS-node" route add "$VIP6" via "$(server6 1)"
for f in 4 6; do
	part client || continue
	family "$f"
	for mode in nat fnat dr tun; do
		combination "client on the node, $mode IPv$f" "$mode" \
			node s1 "$remote"
		intruder "client on the node, $mode IPv$f, intruder" "$mode"
	done
	moves "client on the node, IPv$f, whose address moves"
	for mode in nat fnat; do
		impostor "client on the node, $mode IPv$f, impostor" "$mode"
		combination "client and server on the node, $mode IPv$f" \
			"$mode" node snode "$node"
	done
done
ip -n "$NS-node" route del "$VIP4"
ip -n "$NS-node" route del "$VIP6"

topo_vip_local
for f in 4 6; do
	part vip || continue
	family "$f"
	combination "server on the node, VIP local, nat IPv$f" nat c1 snode \
		"$node"
	combination "server on the node, VIP local, dr IPv$f" dr c1 snode \
		"$node"
done
done_testing
