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
	start_tcp "$i" || exit 1
done
start_client
dialogue capture in_client "$SELFTESTS/capture.py" eth0
[ "$(hear capture)" = ready ] || exit 1
make_file big 700

family() {
	vip_of "$1"
	s1=$(server4 1) s2=$(server4 2)
	[ "$1" = 4 ] || s1=[$(server6 1)] s2=[$(server6 2)]
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
server_counts() { clb_get ".[] | $COUNTERS" server show $1 | sort; }

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

# Each transfer is one session, and with two of them each server has one.
seen=()
transfer() { # NAME MODE PROTOCOL PORT COMMAND...
	tell capture count "$3" "$vip" "$4" >/dev/null
	ok "$1" "${@:5}"
	seen+=("$(expected "$2")")
}

sums() { # column by column
	awk '{ for (i = 1; i <= NF; i++) n[i] += $i }
		END { print n[1], n[2], n[3], n[4] }'
}

compare() { # NAME KEY
	is "$1: servers count what was captured of theirs" \
		"$(server_counts "$2")" "$(printf '%s\n' "${seen[@]}" | sort)"
	is "$1: the listener counts all of it" "$(listener_counts "$2")" \
		"$(printf '%s\n' "${seen[@]}" | sums)"
	last_ok && ok "$1: and it was something" [ "${seen[0]%% *}" -gt 5 ]
	seen=()
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
	transfer "$1 tcp: data" "$2" tcp 80 download
	transfer "$1 tcp: data to the server" "$2" tcp 80 upload
	compare "$1 tcp" "$key"
}

test_udp() { # NAME MODE
	local key="udp $vip_host:$UDP_PORT"

	configure "$key" "$2"
	transfer "$1 udp: short datagrams" "$2" udp "$UDP_PORT" \
		ask "$vip" "$UDP_PORT" x 10 5001
	transfer "$1 udp: long ones" "$2" udp "$UDP_PORT" \
		ask "$vip" "$UDP_PORT" "$(printf '%01300d' 1)" 7 5002
	compare "$1 udp" "$key"
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

# Resets that the node makes: to clients of sessions that are ended, and to
# those whose packets are of no session.
out_counts() { listener_counts "$1" | cut -d' ' -f3-; }
test_resets() { # NAME
	local key="tcp $vip_host:7000" before after

	configure "$key" nat
	is "$1: connections" "$(tell client open r "$vip" 7000 3)" "open 3"
	tell capture count tcp "$vip" 7000 >/dev/null
	read -ra before <<<"$(out_counts "$key")"
	ok "$1: sessions are ended" clb session del
	wait_for 5 no_sessions
	tell client close r rst >/dev/null
	# shellcheck disable=SC2086 # a key is two words
	clb listener set $key reset off
	is "$1: connections" "$(tell client open r "$vip" 7000 2)" "open 2"
	clb session del
	# shellcheck disable=SC2086 # a key is two words
	clb listener set $key reset on
	is "$1: packets of no session" "$(tell client ping r)" 0
	read -ra after <<<"$(out_counts "$key")"
	is "$1: count as what was captured" \
		"$((after[0] - before[0])) $((after[1] - before[1]))" \
		"$(tell capture result | cut -d' ' -f3-)"
	is "$1: those of sessions at their servers" \
		"$(server_counts "$key" | sums | cut -d' ' -f3)" \
		$((after[0] - 2))
	tell client close r rst >/dev/null
}

# --- rate --------------------------------------------------------------------

readonly RATE_PORT=9000

limited() { # PROTOCOL KEYWORD...
	clb flush
	clb restore <<-END
	local add $NODE_BACK4
	local add $NODE_BACK6
	listener add $1 $vip_host:$RATE_PORT ${*:2}
	server add $1 $vip_host:$RATE_PORT $s1:$RATE_PORT
	END
}
rate_of() { in_client "$SELFTESTS/rate.py" "$1" "$vip" "$RATE_PORT" "$2"; }

# rate_between PROTOCOL RATE BURST LOW HIGH: passes what the rate and one burst
# allow, LOW to HIGH in 1000. A machine that stands still for longer than a
# burst lasts sends less: it has three tries. Nothing excuses more.
rate_between() {
	local bytes time share

	for _ in 1 2 3; do
		read -r bytes time <<<"$(rate_of "$1" 8)"
		share=$((bytes * 8 * 1000 / ($2 * (time / 1000) / 1000 + $3 * 8)))
		echo "$1: $bytes bytes in $time us: $share of 1000"
		[ "$share" -le "$5" ] || return 1
		[ "$share" -lt "$4" ] || return 0
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
test_rate_udp() { # LABEL
	local drops name="rate udp $1"

	drops=$(stat_of drop_rate)
	limited udp mode nat rate 1m burst 131072
	ok "$name: within 2 %" \
		rate_between udp 1000000 131072 980 1020
	diag "$(cat "$TMP/output")"
	drops=$(($(stat_of drop_rate) - drops))
	ok "$name: far more was sent, and is counted as dropped" \
		[ "$drops" -gt "$(counter_of out_packets)" ]
	is "$name: at the listener too" "$(counter_of drops)" "$drops"
}

# TCP makes use of the rate, and of no more: all that the node sent, GSO packets
# included, is what the rate allows, one burst and one packet. Of data it is
# 96.5 % at the most (IPv6: 95.2 %): the rest are headers. What the bucket held when measuring
# began may be added.
test_rate_tcp() { # LABEL MODE RATE
	local since burst allowed rate=$3 name="rate tcp $1 $3 bit/s"

	burst=$((rate / 16 > 131072 ? rate / 16 : 131072))
	limited tcp mode "$2" rate "$rate"
	since=${EPOCHREALTIME//./}
	ok "$name: goodput is 85 % or more" \
		rate_between tcp "$rate" 0 850 $((1000 + burst * 1000 / rate))
	diag "$(cat "$TMP/output")"
	allowed=$((rate * (${EPOCHREALTIME//./} - since) / 8000000 +
		burst + 65536))
	ok "$name: no more is sent than allowed" \
		[ $(($(counter_of out_bytes) * 100)) -le $((allowed * 102)) ]
	ok "$name: the listener refused some" [ "$(counter_of drops)" -gt 0 ]
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
for i in 4 6; do
	family "$i"
	! part rate-udp || test_rate_udp "IPv$i"
done
if part rate-tcp; then
	test_rate_tcp "nat IPv6" nat 4000000
	family 4
	test_rate_tcp "nat IPv4" nat 1000000
	test_rate_tcp "nat IPv4" nat 4000000
	test_rate_tcp "fnat IPv4" fnat 20000000
fi
family 4
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
for i in 4 6; do
	part resets || continue
	family "$i"
	test_resets "resets IPv$i"
done
done_testing
