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

# configure MODE KEY...: listeners, two servers each, all counters at 0.
configure() {
	local key

	clb flush
	{
		printf '%s\n' "local add $NODE_BACK4" "local add $NODE_BACK6"
		for key in "${@:2}"; do
			echo "listener add $key mode $1 scheduler rr"
			echo "server add $key $s1:${key##*:}"
			echo "server add $key $s2:${key##*:}"
		done
	} | clb restore
}

# of each object that JSON has, a line
counts() {
	local n=':([0-9]+)' rest=$1

	n="\"in_packets\"$n,\"in_bytes\"$n,\"out_packets\"$n,\"out_bytes\"$n(.*)"
	while [[ $rest =~ $n ]]; do
		echo "${BASH_REMATCH[*]:1:4}"
		rest=${BASH_REMATCH[5]}
	done
}
# shellcheck disable=SC2086 # a key is two words
listener_counts() { counts "$(clb -j listener show $1)"; }
# shellcheck disable=SC2086 # a key is two words
server_counts() { counts "$(clb -j server show $1)"; }

# Each transfer is one session, and with two of them each server has one.
# captured MODE: sets seen to what was captured of them, as far as the node can see
# it: replies bypass it in DR and TUN.
seen=()
captured() {
	local session result in_packets in_bytes out_packets out_bytes

	seen=()
	result=$(tell capture result)
	while read -r -d ';' session; do
		read -r in_packets in_bytes out_packets out_bytes <<<"$session"
		case $1 in
		dr|tun) seen+=("$in_packets $in_bytes 0 0") ;;
		*) seen+=("$in_packets $in_bytes $out_packets $out_bytes") ;;
		esac
	done <<<"$result"
	[ "${#seen[@]}" -gt 0 ] || diag "capture: $result"
}

sums() { # column by column
	local line a=0 b=0 c=0 d=0

	while read -ra line; do
		[ "${#line[@]}" -eq 4 ] || continue
		a=$((a + line[0])) b=$((b + line[1]))
		c=$((c + line[2])) d=$((d + line[3]))
	done
	echo "$a $b $c $d"
}
in_order() { # of two lines, the one that sorts first comes first
	local a b

	read -r a
	read -r b
	[[ $a > $b ]] && printf '%s\n' "$b" "$a" || printf '%s\n' "$a" "$b"
}

compare() { # NAME KEY SESSION SESSION
	local both=${3:-}$'\n'${4:-}

	is "$1: servers count what was captured of theirs" \
		"$(in_order <<<"$(server_counts "$2")")" "$(in_order <<<"$both")"
	is "$1: the listener counts all of it" "$(listener_counts "$2")" \
		"$(sums <<<"$both")"
	last_ok && ok "$1: and it was something" [ "${3%% *}" -gt 5 ]
}

download() {
	in_client curl -sSf -m "$((30 * SLOW))" -o "$TMP/got" \
		"$(url "$vip" 80 files/big)" &&
		cmp "$TMP/got" "$TMP/files/big"
}
upload() {
	in_client curl -sSf -m "$((30 * SLOW))" -T "$TMP/files/big" \
		"$(url "$vip" 80 put/up)"
}

# In TUN the client shall know how large packets may be: others are refused.
prepare() { # MODE KEY...
	configure "$@"
	if [ "$1" = tun ]; then
		upload
		configure "$@"
	fi
}
transfer_tcp() { # NAME
	ok "$1 tcp: data" download
	ok "$1 tcp: data to the server" upload
	ok "$1 tcp: no packet is to come" wait_for 10 is_over
}

test_tcp() { # NAME MODE
	local key="tcp $vip_host:80"

	prepare "$2" "$key"
	tell capture count tcp "$vip" 80 >"$TMP/count"
	transfer_tcp "$1"
	captured "$2"
	compare "$1 tcp" "$key" "${seen[@]}"
}

# Both protocols at once.
test_mode() { # NAME MODE
	local tcp="tcp $vip_host:80" udp="udp $vip_host:$UDP_PORT"

	prepare "$2" "$tcp" "$udp"
	tell capture count tcp "$vip" 80 udp "$vip" "$UDP_PORT" >"$TMP/count"
	transfer_tcp "$1"
	is "$1 udp: short datagrams" \
		"$(tell client utalk "$vip" "$UDP_PORT" 5001 10 1)" 10
	is "$1 udp: long ones" \
		"$(tell client utalk "$vip" "$UDP_PORT" 5002 7 1300)" 7
	captured "$2"
	compare "$1 tcp" "$tcp" "${seen[@]:0:2}"
	compare "$1 udp" "$udp" "${seen[@]:2}"
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

	configure nat "$key"
	is "$1: connections" "$(tell client open r "$vip" 7000 3)" "open 3"
	tell capture count tcp "$vip" 7000 >"$TMP/count"
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
	captured nat
	is "$1: count as what was captured" \
		"$((after[0] - before[0])) $((after[1] - before[1]))" \
		"$(printf '%s\n' "${seen[@]}" | sums | cut -d' ' -f3-)"
	is "$1: those of sessions at their servers" \
		"$(server_counts "$key" | sums | cut -d' ' -f3)" \
		$((after[0] - 2))
	tell client close r rst >/dev/null
}

# The last of a listener's counters: nobody can ask for them once it is gone.
# shellcheck disable=SC2086 # a key is two words
test_end() { # FAMILY
	local name="end IPv$1" key

	family "$1"
	key="tcp $vip_host:80"
	configure nat "$key" "udp $vip_host:$UDP_PORT"
	spawn clb -j monitor >"$TMP/events"
	ok "$name: somebody listens" wait_for 20 hears "$TMP/events"
	tell capture count tcp "$vip" 80 udp "$vip" "$UDP_PORT" >"$TMP/count"
	transfer_tcp "$name"
	is "$name: datagrams" \
		"$(tell client utalk "$vip" "$UDP_PORT" 5001 10 1)" 10
	ok "$name: a listener goes" clb listener del $key
	ok "$name: all go" clb flush
	ok "$name: their ends are told" wait_for 20 ends 2
	captured nat
	is "$name: that of the one with what was captured" "$(counts "$(
		end_of 80)")" "$(printf '%s\n' "${seen[@]:0:2}" | sums)"
	is "$name: and that of the other" "$(counts "$(end_of "$UDP_PORT")")" \
		"$(printf '%s\n' "${seen[@]:2}" | sums)"
	stop "$spawned"
}
end_of() { # PORT
	grep '"listener-end"' "$TMP/events" | grep "\"port\":$1,"
}
ends() { [ "$(grep -c '"listener-end"' "$TMP/events")" -eq "$1" ]; }

# --- rate --------------------------------------------------------------------

readonly RATE_PORT=9000

# limited PROTOCOL FAMILY PORT KEYWORD...: lines for a listener
limited() {
	family "$2"
	echo "listener add $1 $vip_host:$3 ${*:4}"
	echo "server add $1 $vip_host:$3 $s1:$RATE_PORT"
}

# measure PROTOCOL SECONDS [ADDRESS PORT]...: all at the same time; what comes
# through is in measured, what the node counted by then, which was at $until, in
# $counters.
declare -A measured
measure() {
	local result

	in_client "$SELFTESTS/rate.py" "$@" >"$TMP/rates"
	until=${EPOCHREALTIME//./}
	counters=$(clb -j listener show)
	shift 2
	while read -r result && [ $# -gt 0 ]; do
		measured[$2]=$result
		shift 2
	done <"$TMP/rates"
}
counter_of() { # PORT NAME
	[[ $counters =~ \"port\":$1,[^}]*\"$2\":([0-9]+) ]]
	echo "${BASH_REMATCH[1]}"
}

# rate_between PROTOCOL SECONDS PORT RATE BURST LOW HIGH: beside one burst passes
# what the rate allows, LOW to HIGH in 1000. A machine that stands still for longer
# than a burst lasts sends less: it has three tries, two of them alone.
# Nothing excuses more.
rate_between() {
	local bytes time share try

	for try in 1 2 3; do
		[ "$try" -eq 1 ] || measure "$1" "$2" "$vip" "$3"
		read -r bytes time <<<"${measured[$3]:-0 1}"
		share=$(((bytes - $5) * 8 * 1000 * 1000000 / ($4 * time)))
		echo "$1: $bytes bytes in $time us: $share of 1000"
		[ "$share" -le "$7" ] || return 1
		[ "$share" -lt "$6" ] || return 0
	done
	return 1
}
rate_port_open() {
	in_server 1 ss -Hltun "sport = :$RATE_PORT" | grep -c . | grep -q 2
}

# The burst is a second's worth, far beyond what the sender loses while its
# processor does something else; at the end it is used up. Rates are low, for a
# slow machine too must be able to exceed them.
test_rate_udp() {
	local i name port drops before
	local limit="mode nat rate 1m burst 131072"

	before=$(stat_of drop_rate)
	clb flush
	for i in 4 6; do
		limited udp "$i" "900$i" "$limit"
	done | clb restore
	measure udp 4 "$VIP4" 9004 "$VIP6" 9006
	for i in 4 6; do
		family "$i"
		port=900$i name="rate udp IPv$i"
		ok "$name: within 2 %" \
			rate_between udp 4 "$port" 1000000 131072 980 1020
		diag "$(cat "$TMP/output")"
		drops=$(counter_of "$port" drops)
		ok "$name: more was sent, and is counted as dropped" \
			[ $((drops * 20)) -gt "$(counter_of "$port" out_packets)" ]
	done
	ok "rate udp: the node counts the drops of its listeners" \
		wait_for 10 drops_agree "$before"
}
# Once nothing more comes.
drops_agree() { # BEFORE
	local port sum=0

	counters=$(clb -j listener show)
	for port in 9004 9006; do
		sum=$((sum + $(counter_of "$port" drops)))
	done
	echo "$sum at the listeners"
	[ $(($(stat_of drop_rate) - $1)) -eq "$sum" ]
}

# TCP makes use of the rate, and of no more: all that the node sent, GSO packets
# included, is what the rate allows, one burst and one packet. Of data it is
# 96.5 % at the most (IPv6: 95.2 %): the rest are headers. What the bucket held
# when measuring began may be added.
rate_tcp() { # FAMILY MODE RATE PORT
	local burst allowed rate=$3 name="rate tcp $2 IPv$1 $3 bit/s"

	family "$1"
	burst=$((rate / 16 > 131072 ? rate / 16 : 131072))
	ok "$name: goodput is 85 % or more" rate_between tcp 8 "$4" "$rate" 0 \
		850 $((1000 + burst * 1000 / rate))
	diag "$(cat "$TMP/output")"
	allowed=$((rate * (until - since) / 8000000 + burst + 65536))
	ok "$name: no more is sent than allowed" \
		[ $(($(counter_of "$4" out_bytes) * 100)) -le $((allowed * 102)) ]
	ok "$name: the listener refused some" \
		[ "$(counter_of "$4" drops)" -gt 0 ]
}
test_rate_tcp() {
	local since fast

	fast=$(size 20000000 1000000)
	clb flush
	{
		printf '%s\n' "local add $NODE_BACK4" "local add $NODE_BACK6"
		limited tcp 6 9001 mode nat rate 4000000
		limited tcp 4 9002 mode nat rate 1000000
		limited tcp 4 9003 mode nat rate 4000000
		limited tcp 4 9004 mode fnat rate "$fast"
	} >"$TMP/limited"
	since=${EPOCHREALTIME//./}
	clb restore "$TMP/limited"
	measure tcp 8 "$VIP6" 9001 "$VIP4" 9002 "$VIP4" 9003 "$VIP4" 9004
	rate_tcp 6 nat 4000000 9001
	rate_tcp 4 nat 1000000 9002
	rate_tcp 4 nat 4000000 9003
	rate_tcp 4 fnat "$fast" 9004
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
		test_mode "$mode IPv$i" "$mode"
	done
done
spawn in_server 1 "$SELFTESTS/rate.py" serve "$RATE_PORT" 1400
wait_for 20 rate_port_open
! part rate-udp || test_rate_udp
! part rate-tcp || test_rate_tcp
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
	! part end || test_end "$i"
done
for i in 4 6; do
	part resets || continue
	family "$i"
	test_resets "resets IPv$i"
done
# The last: from now on c1 and s1 say nothing by themselves.
if part rate-packets; then
	topo_mute c1 s1 s2
	relay "$SELFTESTS/metering.py" "$NS"
fi
done_testing
