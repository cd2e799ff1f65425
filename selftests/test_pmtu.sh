#!/bin/bash
# SPDX-License-Identifier: MIT
# Path MTU discovery end to end: a narrow link somewhere on the way, and a TCP
# transfer that fills it completes in all modes. Topology: lib.sh, and
#
#	c1 --- c2 --- node --- s2 --- s1
#
# where the last hop to c1, or that to s1, takes no more than 1400 bytes; or so
# little that a tunnel leaves IPv6 less than the 1280 bytes every link takes,
# and has to fragment (RFC 2473 section 7.1, RFC 4213 section 3.2).
. "$(dirname "$0")/lib.sh"

topo_up 2 || exit 1
topo_tunnels || exit 1
start_server 1 || exit 1
make_file big 256
narrow=1400
clb local add "$NODE_BACK4"
clb local add "$NODE_BACK6"

# router NAMESPACE: it forwards, and says so when it cannot.
router() {
	in_ns "$1" sysctl -qw net.ipv4.ip_forward=1 \
		net.ipv6.conf.all.forwarding=1
}

# narrow SIDE: all ways to c1 (client), or to s1 (server), but those of their
# neighbour on the link lead over a hop of $narrow bytes.
narrow_client() {
	ip -n "$NS-node" route replace "$(client4 1)" via "$(client4 2)"
	ip -n "$NS-node" route replace "$(client6 1)" via "$(client6 2)"
	ip -n "$NS-s1" route replace "$(client4 1)" via "$(client4 2)" \
		dev direct table 100 onlink
	ip -n "$NS-s1" route replace "$(client6 1)" via "$(client6 2)" \
		dev direct table 100 onlink
	ip -n "$NS-c2" route replace "$(client4 1)" dev eth0 mtu lock "$narrow"
	ip -n "$NS-c2" route replace "$(client6 1)" dev eth0 mtu lock "$narrow"
}

narrow_server() { # MODE: in DR the server is a neighbour of the node
	if [ "$1" = dr ]; then
		ip -n "$NS-node" route replace "$(server4 1)" dev back \
			mtu lock "$narrow"
		ip -n "$NS-node" route replace "$(server6 1)" dev back \
			mtu lock "$narrow"
		return
	fi
	ip -n "$NS-node" route replace "$(server4 1)" via "$(server4 2)"
	ip -n "$NS-node" route replace "$(server6 1)" via "$(server6 2)"
	ip -n "$NS-s2" route replace "$(server4 1)" dev back mtu lock "$narrow"
	ip -n "$NS-s2" route replace "$(server6 1)" dev back mtu lock "$narrow"
}

forget_mtus() {
	local ns

	for ns in c1 node s1; do
		ip -n "$NS-$ns" route flush cache
		ip -n "$NS-$ns" -6 route flush cache
	done
}

errors() {
	clb_get '.icmp_translated + .drop_too_big' stats
}

download() { # VIP
	in_client curl -sSf -m "$((20 * SLOW))" -o "$TMP/got" \
		"$(url "$1" 80 files/big)" &&
		cmp "$TMP/got" "$TMP/files/big"
}

upload() { # VIP
	in_client curl -sSf -m "$((20 * SLOW))" -H Expect: -T "$TMP/files/big" \
		"$(url "$1" 80 put/up)" && cmp "$TMP/s1/put/up" "$TMP/files/big"
}

# path_mtu MODE FAMILY SIDE TRANSFER [FAMILY of the server]
path_mtu() {
	local vip=$VIP4 server before key label="$1 IPv$2"

	part "$1$2-$3" || return 0
	[ "$2" = 4 ] || vip=$VIP6
	server=$(server4 1)
	[ "${5:-$2}" = 4 ] || server="[$(server6 1)]"
	[ -z "${5:-}" ] || label+=" over IPv$5, $narrow bytes"
	key="tcp $vip:80"
	[ "$2" = 4 ] || key="tcp [$vip]:80"
	# shellcheck disable=SC2086 # two words
	clb listener add $key mode "$1" && clb server add $key "$server:80"
	"narrow_$3" "$1"
	forget_mtus
	before=$(errors)
	ok "path MTU, $label, $3's side: $4 completes" "$4" "$vip"
	ok "path MTU, $label, $3's side: errors passed the node" \
		[ "$(errors)" -gt "$before" ]
	# shellcheck disable=SC2086
	clb listener del $key
}

router c2
router s2
for mode in nat fnat dr tun; do
	path_mtu "$mode" 4 client download
	path_mtu "$mode" 6 client download
done
ip -n "$NS-node" route del "$(client4 1)"
ip -n "$NS-node" route del "$(client6 1)"
# with the routes goes what was learned of them, which flushing may leave
ip -n "$NS-s1" route del "$(client4 1)" table 100
ip -n "$NS-s1" -6 route del "$(client6 1)" table 100
for mode in nat fnat tun dr; do
	path_mtu "$mode" 4 server upload
	path_mtu "$mode" 6 server upload
done
# What a router told the node about a packet of its own holds for no other; in IPv6
# the kernel holds all packets to it.
own_mtu() { # SERVER
	narrow_server nat
	forget_mtus
	in_node ping -c 1 -W $((2 * SLOW)) -M "do" -s 1450 "$1" >/dev/null
	ip -n "$NS-s2" route del "$1" dev back
	in_node ip route get "$1" | grep -w "mtu $narrow"
}
test_own() {
	local before server vip vip_host label="path MTU of the node's own"

	vip_of 4
	server=$(server4 1)
	ok "$label: learned" own_mtu "$server"
	clb listener add tcp "$vip_host:80" mode nat &&
		clb server add tcp "$vip_host:80" "$server"
	before=$(errors)
	ok "$label: an upload completes" upload "$vip"
	is "$label: not for clients" "$(($(errors) - before))" 0
	clb listener del tcp "$vip_host:80"
}
! part own || test_own
narrow=1290
path_mtu tun 6 server upload 6
path_mtu tun 6 server upload 4
done_testing
