#!/bin/bash
# SPDX-License-Identifier: MIT
# Routes that are more than a neighbour on a link: chosen by a rule, through a
# VRF, wrapped by the route itself (collect_md), under an IPsec policy. Packets
# arrive, and what the fast path cannot do takes the slow one. Topology: lib.sh.
. "$(dirname "$0")/lib.sh"

topo_up 2 || exit 1
topo_tunnels || exit 1
start_udp 1 && start_udp 2 || exit 1
start_client

readonly KEY4="udp $VIP4:$UDP_PORT" KEY6="udp [$VIP6]:$UDP_PORT"

# listen KEY MODE SERVER: one listener, alone.
# shellcheck disable=SC2086 # a key is two words
listen() {
	clb restore <<-END
	local add $NODE_BACK4
	local add $NODE_BACK6
	listener add $1 mode $2
	server add $1 $3
	END
}

exchange() { # VIP COUNT SOURCE_PORT
	in_client "$SELFTESTS/udp.py" ask "$1" "$UDP_PORT" x "$2" "$3"
}
answered() { [ "$(exchange "$1" 1 "$2")" = "s1 x" ]; }

# fast_of VIP PORT: of ten packets of a session, five each way, how many take
# the fast path?
fast_of() {
	local before

	before=$(stat_of fast_packets)
	exchange "$1" 5 "$2" >/dev/null || return
	echo $(($(stat_of fast_packets) - before))
}

# --- rules -------------------------------------------------------------------

# Two uplinks lead to the client's network; only replies of the VIP, by a rule
# of their own, take the one that works.
test_rule() {
	ip -n "$NS-c1" addr add 10.77.0.1/32 dev lo
	ip -n "$NS-node" route add 10.77.0.0/24 via "$(client4 2)"
	ok "rule: listener" listen "$KEY4" nat "$(server4 1)"
	is "rule: by the main table replies go elsewhere" \
		"$(tell client uonce "$VIP4" "$UDP_PORT" 10.77.0.1)" nothing
	ip -n "$NS-node" route add 10.77.0.0/24 via "$(client4 1)" table 100
	ip -n "$NS-node" rule add from "$VIP4" lookup 100
	is "rule: by the source they come back" \
		"$(tell client uonce "$VIP4" "$UDP_PORT" 10.77.0.1)" "s1 hello"
	ip -n "$NS-node" rule del from "$VIP4" lookup 100
	ip -n "$NS-node" route del 10.77.0.0/24
}

# --- a route that wraps ------------------------------------------------------

# The server is 10.7.0.1, to which a route leads that wraps into IPIP. Replies
# come back bare.
test_encap() {
	ip -n "$NS-s1" addr add 10.7.0.1/32 dev lo
	ip -n "$NS-node" link add md type ipip external
	ip -n "$NS-node" link set md up
	ip -n "$NS-node" route add 10.7.0.1/32 encap ip \
		src "$NODE_BACK4" dst "$(server4 1)" dev md
	ok "encap: listener" listen "$KEY4" nat 10.7.0.1
	ok "encap: packets arrive" exchange "$VIP4" 3 4000
	is "encap: only replies are fast" "$(fast_of "$VIP4" 4000)" 5
	ip -n "$NS-node" link del md
}

# --- IPsec -------------------------------------------------------------------

readonly ESP_KEY=0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20

# esp NAMESPACE FROM TO DIRECTION PROTOCOL: what goes or comes that way is
# wrapped; but not what neighbours tell each other.
esp() {
	local all=0.0.0.0/0 one=32

	[ "${2#*:}" = "$2" ] || all=::/0 one=128
	ip -n "$NS-$1" xfrm state add src "$2" dst "$3" proto esp spi 0x77 \
		reqid 7 mode tunnel auth 'hmac(sha256)' "$ESP_KEY" \
		enc 'ecb(cipher_null)' ''
	ip -n "$NS-$1" xfrm policy add src "$all" dst "$3/$one" proto "$5" \
		dir "$4" \
		tmpl src "$2" dst "$3" proto esp reqid 7 mode tunnel
}
esp_packets() { # that server 1 unwrapped
	ip -n "$NS-s1" -s xfrm state |
		sed -n '/lifetime current:/{n;s/.*, *\([0-9]*\)(packets).*/\1/p}'
}
test_ipsec() { # MODE VIP KEY NODE SERVER SERVER_HOST FAST PROTOCOL
	local name="ipsec $1 $2"

	ok "$name: listener" listen "$3" "$1" "$6"
	ok "$name: a session before" exchange "$2" 3 4010
	esp s1 "$4" "$5" in "$8"
	esp node "$4" "$5" out "$8"
	ok "$name: the session goes on" exchange "$2" 3 4010
	is "$name: and is wrapped" "$(esp_packets)" 3
	ok "$name: a new session" exchange "$2" 3 4011
	is "$name: is wrapped too" "$(esp_packets)" 6
	is "$name: only replies are fast" "$(fast_of "$2" 4011)" "$7"
	ip -n "$NS-node" xfrm policy flush
	ip -n "$NS-s1" xfrm policy flush
	ip -n "$NS-node" xfrm state flush
	ip -n "$NS-s1" xfrm state flush
	ok "$name: without a policy" exchange "$2" 1 4011
	ok "$name: all is fast again" [ "$(fast_of "$2" 4011)" -ge 5 ]
}

# A policy wants IPsec, and nobody has agreed on it yet, though somebody is asked to:
# nothing may pass in clear text, nor end on the node because it leads nowhere else.
wanted() { # PROTOCOL FROM TO
	spawn in_node ip xfrm monitor acquire >"$TMP/acquire"
	asked=$spawned
	wait_for 10 listens_to_xfrm && ip -n "$NS-node" xfrm policy add \
		dst "$3" proto "$1" dir out \
		tmpl src "$2" dst "$3" proto esp reqid 7 mode tunnel
}
listens_to_xfrm() { in_node grep -q '^[0-9a-f]* *6 ' /proc/net/netlink; }
test_ipsec_awaited() { # MODE VIP KEY NODE SERVER SERVER_HOST PROTOCOL
	local name="ipsec awaited $1 $2" before asked

	ok "$name: listener" listen "$3" "$1" "$6"
	ok "$name: a session before" exchange "$2" 1 4012
	ok "$name: a policy" wanted "$7" "$4" "$5"
	before=$(stat_of drop_no_route)
	tell client usend "$2" "$UDP_PORT" 4012 >"$TMP/sent"
	tell client usend "$2" "$UDP_PORT" 4013 >"$TMP/sent"
	ok "$name: there is no route, for old and new sessions" \
		wait_for 10 stat_above drop_no_route $((before + 1))
	# the kernel loses a reference to a route each time (net/core/dst.c,
	# dst_destroy(): the child of one without xfrm), as kmemleak would say
	if [ "$SLOW" -gt 1 ]; then
		skip "$name: nor where packets of the node are held back" \
			"the kernel would leak there"
	else
		test_held_back "$@"
	fi
	stop "$asked"
	ip -n "$NS-node" xfrm policy flush
	ip -n "$NS-node" xfrm state flush
	ok "$name: without a policy" exchange "$2" 1 4012
}
test_held_back() { # as test_ipsec_awaited, which it is part of
	in_node sysctl -qw net.core.xfrm_larval_drop=0
	ip -n "$NS-node" xfrm state flush
	before=$(stat_of drop_no_route)
	tell client usend "$2" "$UDP_PORT" 4012 >"$TMP/sent"
	tell client usend "$2" "$UDP_PORT" 4013 >"$TMP/sent"
	ok "$name: nor where packets of the node are held back" \
		wait_for 10 stat_above drop_no_route $((before + 1))
	in_node sysctl -qw net.core.xfrm_larval_drop=1
}

# --- VRF ---------------------------------------------------------------------

# The link to the servers is in a VRF; routes to them leak into the main table.
vrf_up() {
	ip -n "$NS-node" -batch - <<-IP
	link add blue type vrf table 10
	link set blue up
	link set back master blue
	addr replace $NODE_BACK4/24 dev back
	addr replace $NODE_BACK6/64 dev back nodad
	route add $(server4 1)/32 dev blue
	route add $(server6 1)/128 dev blue
	IP
}
test_vrf() {
	local mode

	ok "vrf: the link to the servers is in one" vrf_up
	for mode in nat fnat tun; do
		ok "vrf $mode: listener" listen "$KEY4" "$mode" "$(server4 1)"
		ok "vrf $mode IPv4: packets arrive" \
			wait_for 10 answered "$VIP4" 4020
		ok "vrf $mode IPv4: and more of them" exchange "$VIP4" 5 4020
		ok "vrf $mode: listener" \
			listen "$KEY6" "$mode" "[$(server6 1)]"
		ok "vrf $mode IPv6: packets arrive" \
			wait_for 10 answered "$VIP6" 4021
		ok "vrf $mode IPv6: and more of them" exchange "$VIP6" 5 4021
	done
}

test_rule
test_encap
for mode in nat tun; do
	replies=5 proto4=udp proto6=udp
	# replies bypass the node
	[ "$mode" = nat ] || replies=0 proto4=4 proto6=41
	test_ipsec "$mode" "$VIP4" "$KEY4" "$NODE_BACK4" "$(server4 1)" \
		"$(server4 1)" "$replies" "$proto4"
	test_ipsec "$mode" "$VIP6" "$KEY6" "$NODE_BACK6" "$(server6 1)" \
		"[$(server6 1)]" "$replies" "$proto6"
	test_ipsec_awaited "$mode" "$VIP4" "$KEY4" "$NODE_BACK4" \
		"$(server4 1)" "$(server4 1)" "$proto4"
	test_ipsec_awaited "$mode" "$VIP6" "$KEY6" "$NODE_BACK6" \
		"$(server6 1)" "[$(server6 1)]" "$proto6"
done
test_vrf
done_testing
