#!/bin/bash
# SPDX-License-Identifier: MIT
# The scenarios of the kernel's own test of IPVS
# (tools/testing/selftests/netfilter/ipvs.sh): the VIP is an address of the
# node, a client sends 32 bytes with netcat, and the server has them. There it
# is NAT, DR and TUN with IPv4; here also FNAT, IPv6 and TUN across families,
# each with forwarding switched on and off. The servers are prepared by the
# commands of Documentation/servers.rst. Then the node is busy with all else.
# Topology: lib.sh.
. "$(dirname "$0")/lib.sh"

readonly PORT=7777

topo_up 1 || exit 1
topo_vip_local
start_server 1 || exit 1
modprobe -a ipip sit ip6_tunnel || exit 1

tunnels() {
	ip -n "$NS-s1" link set tunl0 up && ip -n "$NS-s1" link set sit0 up &&
		ip -n "$NS-s1" link set ip6tnl0 up &&
		ip -n "$NS-s1" -6 tunnel change ip6tnl0 mode any &&
		in_server 1 sysctl -qw net.ipv4.conf.all.rp_filter=0 \
			net.ipv4.conf.tunl0.rp_filter=0
}
ok "the server takes tunnels" tunnels
clb local add "$NODE_BACK4" && clb local add "$NODE_BACK6" || exit 1
dd if=/dev/urandom of="$TMP/sent" bs=32 count=1 status=none

forwarding() { # 0 or 1
	in_node sysctl -qw "net.ipv4.ip_forward=$1" \
		"net.ipv6.conf.all.forwarding=$1"
}

listening() { in_server 1 ss -Hltn "sport = :$PORT" | grep -q .; }
ended() { ! kill -0 "$server" 2>/dev/null; }

# The server ends with the connection.
arrives() { # FAMILY VIP
	spawn in_server 1 nc "-$1" -l "$PORT" >"$TMP/got" </dev/null
	server=$spawned
	wait_for 10 listening || return
	in_client timeout "$((30 * SLOW))" nc -N -w "$((10 * SLOW))" "$2" \
		"$PORT" <"$TMP/sent"
	wait_for 5 ended || stop "$server"
	cmp "$TMP/sent" "$TMP/got"
}

scenario() { # MODE FAMILY SERVER_FAMILY
	local vip=$VIP4 host=$VIP4 server_host label="$1 IPv$2"

	[ "$2" = 4 ] || vip=$VIP6 host=[$VIP6]
	server_host=$(server4 1)
	[ "$3" = 4 ] || server_host=[$(server6 1)]
	[ "$2" = "$3" ] || label+=" in IPv$3"
	clb listener add tcp "$host:$PORT" mode "$1" scheduler rr
	clb server add tcp "$host:$PORT" "$server_host:$PORT"
	for on in 1 0; do
		forwarding "$on"
		ok "$label, forwarding $on: 32 bytes arrive" arrives "$2" "$vip"
	done
	forwarding 1
	clb listener del tcp "$host:$PORT"
}

for mode in nat fnat dr tun; do
	scenario "$mode" 4 4
	scenario "$mode" 6 6
done
scenario tun 4 6
scenario tun 6 4

# --- a busy host ---------------------------------------------------------------

# Its processors are taken by programs, and it forwards and tracks as much other
# traffic as another client and the server can make.
busy() {
	local i

	in_node nft add table inet busy
	in_node nft add chain inet busy forward \
		'{ type filter hook forward priority 0; }'
	in_node nft add rule inet busy forward ct state new counter
	for ((i = 0; i <= $(nproc); i++)); do
		spawn in_node sh -c 'while :; do :; done'
	done
	spawn in_server 1 iperf3 -s >/dev/null
	wait_for 10 tcp_server_up 1 5201
	spawn in_ns c2 iperf3 -t 600 -P 4 -c "$(server4 1)" >/dev/null
	wait_for 10 tracks
}
tracks() { [ "$(in_node cat /proc/sys/net/netfilter/nf_conntrack_count)" -ge 4 ]; }
all_answered() { [ "$(get_many 100 "$1" 80 | spread)" = "s1=100" ]; }

for mode in nat dr; do
	clb listener add tcp "$VIP4:80" mode "$mode"
	clb server add tcp "$VIP4:80" "$(server4 1)"
	[ "$mode" != nat ] || ok "the node becomes a busy host" busy
	GET_TIMEOUT=60 ok "busy host, $mode: 100 connections are answered" \
		all_answered "$VIP4"
	clb listener del tcp "$VIP4:80"
done
done_testing
