#!/bin/bash
# SPDX-License-Identifier: MIT
# Counters are what a capture on the client's interface counts, to the byte,
# in every mode, with packets that are cut up later and without; and the
# outbound rate of a listener is kept. Topology: lib.sh.
. "$(dirname "$0")/lib.sh"

topo_up 2 || exit 1
topo_tunnels || exit 1
for i in 1 2; do
	start_server "$i" || exit 1
	start_udp "$i" || exit 1
done
dialogue capture in_client "$SELFTESTS/capture.py" eth0
[ "$(hear capture)" = ready ] || exit 1
make_file big 700

family() {
	vip=$VIP4 vip_host=$VIP4 s1=$(server4 1) s2=$(server4 2)
	[ "$1" != 6 ] || vip=$VIP6 vip_host=[$VIP6] \
		s1=[$(server6 1)] s2=[$(server6 2)]
}

# configure KEY MODE: one listener, two servers, all counters at 0.
configure() {
	clb flush
	clb restore <<-END
	local add $NODE_BACK4
	local add $NODE_BACK6
	listener add $1 mode $2 scheduler rr
	server add $1 $s1:${1##*:}
	server add $1 $s2:${1##*:}
	END
}

COUNTERS='"\(.in_packets) \(.in_bytes) \(.out_packets) \(.out_bytes)"'
# shellcheck disable=SC2086 # a key is two words
listener_counts() { clb_get ".[] | $COUNTERS" listener show $1; }
# shellcheck disable=SC2086 # a key is two words
server_counts() {
	clb_get "{ in_packets: map(.in_packets) | add,
		in_bytes: map(.in_bytes) | add,
		out_packets: map(.out_packets) | add,
		out_bytes: map(.out_bytes) | add } | $COUNTERS" server show $1
}

# What the node can see: replies bypass it in DR and TUN.
expected() { # MODE
	local in_packets in_bytes out_packets out_bytes

	read -r in_packets in_bytes out_packets out_bytes \
		<<<"$(tell capture result)"
	case $1 in
	dr|tun) echo "$in_packets $in_bytes 0 0" ;;
	*) echo "$in_packets $in_bytes $out_packets $out_bytes" ;;
	esac
}

compare() { # NAME KEY MODE
	local want

	want=$(expected "$3")
	is "$1: listener counts what was captured" "$(listener_counts "$2")" \
		"$want"
	is "$1: servers count the same" "$(server_counts "$2")" "$want"
	last_ok && ok "$1: and it was something" [ "${want%% *}" -gt 10 ]
}

download() {
	in_client curl -sSf -m 30 -o "$TMP/got" "$(url "$vip" 80 files/big)" &&
		cmp "$TMP/got" "$TMP/files/big"
}
upload() {
	in_client curl -sSf -m 30 -T "$TMP/files/big" "$(url "$vip" 80 put/up)"
}

test_tcp() { # NAME MODE
	local key="tcp $vip_host:80"

	configure "$key" "$2"
	# the client shall know how large packets may be: others are refused
	if [ "$2" = tun ]; then
		upload
		configure "$key" "$2"
	fi
	tell capture count tcp "$vip" 80 >/dev/null
	ok "$1 tcp: data" download
	ok "$1 tcp: data to the server" upload
	compare "$1 tcp" "$key" "$2"
}

test_udp() { # NAME MODE
	local key="udp $vip_host:$UDP_PORT"

	configure "$key" "$2"
	tell capture count udp "$vip" "$UDP_PORT" >/dev/null
	ok "$1 udp: short datagrams" ask "$vip" "$UDP_PORT" x 10
	ok "$1 udp: long ones" ask "$vip" "$UDP_PORT" "$(printf '%01300d' 1)" 5
	compare "$1 udp" "$key" "$2"
}

# A listener's counters stay when a server goes with its share.
# shellcheck disable=SC2086 # a key is two words
test_removal() { # KEY
	local before

	before=$(listener_counts "$1")
	ok "removal: a server goes" clb server del $1 "$s1:${1##*:}"
	is "removal: the listener's counters stay" "$(listener_counts "$1")" \
		"$before"
	ok "removal: its sessions end" clb session del
	wait_for 10 no_sessions
	is "removal: and still they stay" "$(listener_counts "$1")" "$before"
	not_ok "removal: the other server has counted less" \
		[ "$(server_counts "$1")" = "$before" ]
}
no_sessions() { [ "$(clb_get .count session count)" = 0 ]; }

# --- rate --------------------------------------------------------------------

readonly RATE_PORT=9000

limited() { # PROTOCOL KEYWORD...
	clb flush
	clb restore <<-END
	listener add $1 $VIP4:$RATE_PORT mode nat ${*:2}
	server add $1 $VIP4:$RATE_PORT $(server4 1):$RATE_PORT
	END
}
rate_of() { in_client "$SELFTESTS/rate.py" "$1" "$VIP4" "$RATE_PORT" "$2"; }

# rate_between PROTOCOL RATE BURST LOW HIGH: passes what the rate and one burst
# allow, LOW to HIGH in 1000. A machine that stands still for longer than a
# burst lasts sends less: it has three tries.
rate_between() {
	local bytes time share

	for _ in 1 2 3; do
		read -r bytes time <<<"$(rate_of "$1" 8)"
		share=$((bytes * 8 * 1000 / ($2 * (time / 1000) / 1000 + $3 * 8)))
		echo "$1: $bytes bytes in $time us: $share of 1000"
		[ "$share" -lt "$4" ] || [ "$share" -gt "$5" ] || return 0
	done
	return 1
}
rate_port_open() {
	in_server 1 ss -Hltun "sport = :$RATE_PORT" | grep -c . | grep -q 2
}

counter_of() { clb_get ".[].$1" listener show; }

# The burst is a second's worth, far beyond what the sender loses while its
# processor does something else; at the end it is used up. Rates are low, for a
# slow machine too must be able to exceed them.
test_rate_udp() {
	local drops

	drops=$(stat_of drop_rate)
	limited udp rate 1m burst 131072
	ok "rate udp: within 2 %" \
		rate_between udp 1000000 131072 980 1020
	diag "$(cat "$TMP/output")"
	drops=$(($(stat_of drop_rate) - drops))
	ok "rate udp: far more was sent, and is counted as dropped" \
		[ "$drops" -gt "$(counter_of out_packets)" ]
	is "rate udp: at the listener too" "$(counter_of drops)" "$drops"
}

test_rate_tcp() {
	limited tcp rate 4m
	ok "rate tcp: goodput is 85 % or more" \
		rate_between tcp 4000000 0 850 1000
	diag "$(cat "$TMP/output")"
	ok "rate tcp: the listener refused some" [ "$(counter_of drops)" -gt 0 ]
}

refused_for() { # MODE
	clb listener add tcp "$VIP4:81" mode "$1" rate 8m 2>&1 |
		grep -qi "rate"
}
test_rate_refused() {
	local mode

	for mode in dr tun; do
		not_ok "rate $mode: refused" \
			clb listener add tcp "$VIP4:81" mode "$mode" rate 8m
		ok "rate $mode: and said why" refused_for "$mode"
	done
	clb listener add tcp "$VIP4:81" mode nat rate 8m
	not_ok "rate: a limited listener cannot become dr" \
		clb listener set tcp "$VIP4:81" mode dr
	clb listener del tcp "$VIP4:81"
}

for i in 4 6; do
	family "$i"
	for mode in nat fnat dr tun; do
		part "$mode$i" || continue
		test_tcp "$mode IPv$i" "$mode"
		test_udp "$mode IPv$i" "$mode"
	done
done
spawn in_server 1 "$SELFTESTS/rate.py" serve "$RATE_PORT" 1400
wait_for 20 rate_port_open
! part rate-udp || test_rate_udp
! part rate-tcp || test_rate_tcp
! part rate || test_rate_refused
topo_offloads_off
for i in 4 6; do
	part off || continue
	family "$i"
	test_tcp "no offloads, nat IPv$i" nat
	test_tcp "no offloads, fnat IPv$i" fnat
done
if part removal; then
	family 4
	test_tcp "removal, nat IPv4" nat
	test_removal "tcp $vip_host:80"
fi
done_testing
