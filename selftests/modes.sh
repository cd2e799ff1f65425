# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A mode x IPv4, IPv6 x TCP, UDP on real programs: data arrives whole in both
# directions, all servers get their turn, and each side sees the addresses that
# the mode promises. Topology: lib.sh. Sourced by the tests of the modes.
. "$(dirname "$0")/lib.sh"

topo_up || exit 1
topo_tunnels || exit 1
for i in 1 2 3 4; do
	start_server "$i" || exit 1
	start_udp "$i" || exit 1
done
make_file big 2048

# The VIP, the servers, what they see of the client, each of one family.
family() { # 4 or 6
	vip_of "$1"
	if [ "$1" = 4 ]; then
		client=$(client4 1) pool=$NODE_BACK4
	else
		client=$(client6 1) pool=$NODE_BACK6
	fi
}

server_host() { # FAMILY NUMBER
	if [ "$1" = 4 ]; then
		server4 "$2"
	else
		echo "[$(server6 "$2")]"
	fi
}

# add PROTOCOL VIP_PORT SERVER_PORT MODE SERVER_FAMILY
add() {
	local i

	clb listener add "$1" "$vip_host:$2" mode "$4" scheduler rr || return
	for i in 1 2 3 4; do
		clb server add "$1" "$vip_host:$2" \
			"$(server_host "$5" "$i"):$3" weight 100 || return
	done
}

readonly EVEN="s1=2 s2=2 s3=2 s4=2"

download() {
	in_client curl -sSf -m "$((30 * SLOW))" -o "$TMP/got" \
		"$(url "$vip" 80 files/big)" &&
		cmp "$TMP/got" "$TMP/files/big"
}

upload() {
	rm -f "$TMP"/s?/put/up
	in_client curl -sSf -m "$((30 * SLOW))" -T "$TMP/files/big" \
		"$(url "$vip" 80 put/up)" && cmp "$TMP"/s?/put/up "$TMP/files/big"
}

# Packets of the front that the node forwarded to clients.
node_sent() { in_node cat /sys/class/net/front/statistics/tx_bytes; }

# Where in the pool a session begins depends on the client's port: with two
# addresses, one of each family, these ports begin with different ones.
client_from() { # PORT-PORT
	in_client curl -sSf -m "$((10 * SLOW))" --local-port "$1" \
		"$(url "$vip" 80 client)" | sed 's/ .*//'
}

# What holds once connections work at all; each would take its time to fail.
test_tcp_data() { # LABEL MODE
	local before seen=$client

	[ "$2" != fnat ] || seen=$pool
	is "$1 tcp: client's address at the server" \
		"$(get "$vip" 80 client 2>&1 | sed 's/ .*//')" "$seen"
	[ "$2" != fnat ] || is "$1 tcp: that of its family, whichever is first" \
		"$(client_from 3840-4095 2>&1) $(client_from 4096-4351 2>&1)" \
		"$pool $pool"
	before=$(node_sent)
	ok "$1 tcp: 2 MB from a server" download
	case $2 in
	dr|tun)
		ok "$1 tcp: replies bypass the node" \
			[ $(($(node_sent) - before)) -lt 500000 ]
		is "$1 tcp: server is asked at the VIP" \
			"$(get "$vip" 80 server 2>&1)" "$vip 80" ;;
	*)
		ok "$1 tcp: replies pass the node" \
			[ $(($(node_sent) - before)) -gt 2097152 ] ;;
	esac
	ok "$1 tcp: 2 MB to a server" upload
}

# Of listener and servers, when all their sessions were ended.
test_gauges() { # LABEL PROTOCOL PORT
	local key=("$2" "$vip_host:$3")

	ok "$1 $2: it counts its sessions" \
		[ "$(clb_get '.[].sessions' listener show "${key[@]}")" -gt 0 ]
	ok "$1 $2: they are ended" clb session del listener "${key[@]}"
	is "$1 $2: then it counts none, nor do its servers" \
		"$(clb_get '.[].sessions' listener show "${key[@]}") $(
		clb_get 'map(.active_sessions + .inactive_sessions) | add' \
			server show "${key[@]}")" "0 0"
}

test_tcp() { # LABEL MODE SERVER_FAMILY
	local port=80

	case $2 in
	nat|fnat) port=8080 ;;
	esac
	ok "$1 tcp: listener and servers" add tcp 80 "$port" "$2" "$3"
	is "$1 tcp: round robin over all servers" \
		"$(get_many 8 "$vip" 80 2>&1 | spread)" "$EVEN"
	! last_ok || test_tcp_data "$1" "$2"
	test_gauges "$1" tcp 80
	ok "$1 tcp: listener goes" clb listener del tcp "$vip_host:80"
}

test_udp() { # LABEL MODE SERVER_FAMILY
	ok "$1 udp: listener and servers" \
		add udp "$UDP_PORT" "$UDP_PORT" "$2" "$3"
	is "$1 udp: round robin over all servers" \
		"$(ask "$vip" "$UDP_PORT" hello 8 2>&1 | sed 's/ hello//' |
			spread)" "$EVEN"
	test_gauges "$1" udp "$UDP_PORT"
	ok "$1 udp: listener goes" clb listener del udp "$vip_host:$UDP_PORT"
}

test_mode() { # MODE
	local f

	ok "pool takes an IPv4 address" clb local add "$NODE_BACK4"
	ok "pool takes an IPv6 address" clb local add "$NODE_BACK6"
	for f in 4 6; do
		part "$1$f" || continue
		family "$f"
		test_tcp "$1 IPv$f" "$1" "$f"
		test_udp "$1 IPv$f" "$1" "$f"
	done
}
