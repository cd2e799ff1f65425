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

# within PERCENT GOT WANT
within() {
	local off=$((($2 - $3) * 1000 / $3))

	echo "$2 bit/s: off by $off/1000"
	[ "${off#-}" -le $(($1 * 10)) ]
}
rate_port_open() {
	in_server 1 ss -Hltun "sport = :$RATE_PORT" | grep -c . | grep -q 2
}

# The burst is far beyond what the sender loses while its processor does
# something else, and used up before the measurement begins.
test_rate_udp() {
	local drops got

	drops=$(stat_of drop_rate)
	limited udp rate 8m burst 1m
	got=$(rate_of udp 6)
	diag "udp: $got bit/s of 8000000"
	ok "rate udp: within 2 %" within 2 "$got" 8000000
	# 8 Mbit/s are 700 packets a second: the sender wanted to send far more
	drops=$(($(stat_of drop_rate) - drops))
	ok "rate udp: what was above it is counted" [ "$drops" -gt 2000 ]
	is "rate udp: at the listener too" \
		"$(clb_get '.[].drops' listener show)" "$drops"
}

test_rate_tcp() {
	local got

	limited tcp rate 20m
	got=$(rate_of tcp 6)
	diag "tcp: $got bit/s of 20000000"
	ok "rate tcp: goodput is at least 85 %" [ "$got" -ge 17000000 ]
	ok "rate tcp: and not above the rate" [ "$got" -le 20000000 ]
}

refused_for() { # MODE
	clb listener add tcp "$VIP4:81" mode "$1" rate 8m 2>&1 |
		grep -qi "rate.*$1\|$1.*rate\|rate"
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
		test_tcp "$mode IPv$i" "$mode"
		test_udp "$mode IPv$i" "$mode"
	done
done
spawn in_server 1 "$SELFTESTS/rate.py" serve "$RATE_PORT" 1400
wait_for 20 rate_port_open
test_rate_udp
test_rate_tcp
test_rate_refused
topo_offloads_off
for i in 4 6; do
	family "$i"
	test_tcp "no offloads, nat IPv$i" nat
	test_tcp "no offloads, fnat IPv$i" fnat
done
test_removal "tcp $vip_host:80"
done_testing
