#!/bin/bash
# SPDX-License-Identifier: MIT
# States of sessions and how long they last. Packets made by hand lead a TCP
# session through its states; the client .99 or ::99 and the server .99 or ::99
# exist in the node's neighbour tables alone. Topology: lib.sh.
. "$(dirname "$0")/lib.sh"

topo_up 1 || exit 1
start_raw || exit 1
start_client
start_tcp 1 || exit 1
start_udp 1 || exit 1

# family 4 or 6: what the words below stand for.
family() {
	vip_of "$1"
	client=192.0.2.99 server=198.51.100.99 client_host=$client
	[ "$1" = 4 ] || client=2001:db8:c::99 server=2001:db8:5::99 \
		client_host="[2001:db8:c::99]"
}
readonly SYN=20 ESTABLISHED=80 FIN=40 UDP=60	# seconds
readonly TIMEOUTS="timeout-syn $SYN timeout-established $ESTABLISHED
	timeout-fin $FIN timeout-udp $UDP"
# Longer than anyone waits here.
LONG=$(echo timeout-{syn,established,fin,udp}" 900")

for i in 6 4; do
	family "$i"
	ip -n "$NS-node" neigh add "$client" lladdr 02:00:00:00:00:99 dev front
	ip -n "$NS-node" neigh add "$server" lladdr 02:00:00:00:00:99 dev back
done

# listener MODE PORT WORD...: with the server .99; for UDP as well.
listener() {
	local protocol

	for protocol in tcp udp; do
		echo "listener add $protocol $vip_host:$2 mode $1" \
			"$(echo "${@:3}" | xargs)"
		echo "server add $protocol $vip_host:$2 $server"
	done | clb restore --add
}

port=2000
flow() { # VIP_PORT: the next client port
	port=$((port + 1))
	tell raw flow "$client" "$port" "$vip" "$1" "$server" "$1" >/dev/null
}

# session: state and seconds left, rounded up, of the flow's session.
session() {
	clb_get '.[] | "\(.state) \((.expires_ms + 999) / 1000 | floor)"' \
		session show client "$client_host:$port"
}
session_state() {
	clb_get '.[].state' session show client "$client_host:$port"
}

# near SECONDS LIMIT: this takes time, but less than lies between two timeouts.
near() {
	echo "$1 of $2 seconds left"
	[ "$1" -le "$2" ] && [ "$1" -gt $(($2 - 15)) ]
}

in_state() { [ "$(session_state)" = "$1" ]; }

# is_in NAME STATE LIMIT: the flow's session.
is_in() {
	local got

	wait_for 5 in_state "$2" 2>/dev/null
	got=$(session)
	is "$1 leads to $2" "${got% *}" "$2"
	ok "${1%: *}: $2 has its timeout" near "${got#* }" "$3"
}

# path NAME VIP_PORT STEP...: each step is "packet > state timeout"; without
# ">" the state is not looked at.
path() {
	local name=$1 step packet state limit

	flow "$2"
	shift 2
	for step in "$@"; do
		packet=${step%% >*}
		# shellcheck disable=SC2086 # words are meant to split
		tell raw $packet >/dev/null
		[ "$packet" != "$step" ] || continue
		read -r state limit <<<"${step##*> }"
		is_in "$name: $packet" "$state" "$limit"
	done
}

HANDSHAKE=("c S" "s SA" "c A")

test_two_way() { # LABEL PORT
	path "$1, client closes" "$2" \
		"c S > syn-sent $SYN" \
		"s SA > syn-recv $SYN" \
		"c A > established $ESTABLISHED" \
		"c FA > fin-client $FIN" \
		"s A +100 > fin-client $FIN" \
		"s FA > closing $FIN" \
		"c A > time-wait $FIN" \
		"s FA -1 > time-wait $FIN"
	path "$1, server closes" "$2" "${HANDSHAKE[@]}" \
		"s FA > fin-server $FIN" \
		"c A +100 > fin-server $FIN" \
		"c FA > closing $FIN" \
		"s A > time-wait $FIN"
	path "$1, forged handshake" "$2" "c S" \
		"c FA -0 > syn-sent $SYN" "s SA" \
		"c A -0 900000000 > syn-recv $SYN" \
		"c FA -0 900000000 > syn-recv $SYN" \
		"c A > established $ESTABLISHED"
	path "$1, refused" "$2" "c S" "s RA > closed $FIN"
	path "$1, aborted" "$2" "${HANDSHAKE[@]}" "c RA > closed $FIN"
	path "$1, server aborts" "$2" "${HANDSHAKE[@]}" "s R > closed $FIN"
	path "$1, blind resets" "$2" "${HANDSHAKE[@]}" "s A +500" "c A" \
		"c R ~100000000 > established $ESTABLISHED" \
		"c R -100000000 > established $ESTABLISHED" \
		"s R ~100000000 > established $ESTABLISHED" \
		"s R -100000000 > established $ESTABLISHED" \
		"c R > closed $FIN"
	path "$1, blind FINs" "$2" "${HANDSHAKE[@]}" "s A +500" "c A" \
		"c FA ~100000000 900000000 > established $ESTABLISHED" \
		"s FA ~100000000 900000000 > established $ESTABLISHED" \
		"c S ~100000000 > established $ESTABLISHED" \
		"c FA > fin-client $FIN"
	path "$1, blind ACKs" "$2" "${HANDSHAKE[@]}" \
		"c A ~100000000 900000000" "c A ~100000000 900000000" \
		"c R ~100000000 > established $ESTABLISHED" \
		"s A ~100000000 900000000" \
		"s R ~100000000 > established $ESTABLISHED" \
		"c R > closed $FIN"
	path "$1, port used again" "$2" "${HANDSHAKE[@]}" "c RA" \
		"c S > syn-sent $SYN"
	path "$1, port used again while closing" "$2" "${HANDSHAKE[@]}" \
		"c FA" "s FA > closing $FIN" "c S > syn-sent $SYN"
	path "$1, port used again in time" "$2" "${HANDSHAKE[@]}" \
		"c FA" "s FA" "c A > time-wait $FIN" "c S > syn-sent $SYN"
}

test_one_way() { # LABEL PORT
	path "$1, client closes" "$2" \
		"c S > syn-sent $SYN" \
		"c A > established $ESTABLISHED" \
		"c R ~100000000 > established $ESTABLISHED" \
		"c FA ~100000000 900000000 > established $ESTABLISHED" \
		"c A ~100000000 900000000" \
		"c R ~100000000 > established $ESTABLISHED" \
		"c FA > fin-client $FIN" \
		"c A > fin-client $FIN"
	path "$1, aborted" "$2" "c S" "c A" "c RA > closed $FIN"
}

test_unanswered() { # LABEL PORT
	flow "$2"
	tell raw udp "$vip" "$2" 1 "$client" "$port" >/dev/null
	is_in "$1: a datagram" udp-new "$UDP"
}

# --- sessions end ------------------------------------------------------------

gone() { [ -z "$(session_state)" ]; }

# lasts NAME MS: the session ends, no sooner than MS after the last packet.
lasts() {
	ok "$1: ends" wait_for 15 gone
	ok "$1: not before its time" [ $(($(now_ms) - touched)) -ge "$2" ]
}

expired_is() { [ "$(stat_of sessions_expired)" -eq "$1" ]; }

# begins_in NAME STATE PORT TIMEOUT PACKET: it is there, with much time; then that
# is short, and the last packet comes again. It touches the session after its time
# is taken: at least so long.
begins_in() {
	ok "$1: there" wait_for 10 in_state "$2"
	# shellcheck disable=SC2086 # words are meant to split
	{
		clb listener set tcp "$vip_host:$3" "$4" 2
		touched=$(now_ms)
		tell raw $5
	} >"$TMP/begins"
}

test_expiry() {
	local expired step

	clb session del		# those of before would be counted too
	expired=$(stat_of sessions_expired)
	flow 82
	tell raw c S >/dev/null
	begins_in "half-open" syn-sent 82 timeout-syn "c S -1"
	lasts "half-open" 2000

	flow 83
	for step in "${HANDSHAKE[@]}"; do
		# shellcheck disable=SC2086 # words are meant to split
		tell raw $step >/dev/null
	done
	tell raw c FA >/dev/null
	begins_in "closing" fin-client 83 timeout-fin "c FA -1"
	lasts "closing" 2000
	# what nobody looks for is counted when the collector comes by
	ok "what expired is counted, once" \
		wait_for 10 expired_is $((expired + 2))
}

older_than() { [ $((SECONDS - $1)) -gt "$2" ]; }
client_state() { # PROTOCOL PORT
	clb_get '.[].state' session show listener "$1" "$VIP4:$2"
}
client_expires() {
	clb_get '.[].expires_ms' session show listener "$1" "$VIP4:$2"
}
no_session() { [ -z "$(client_state "$@")" ]; }

# A real connection idle for more than the other timeouts, but not its own.
test_real() {
	local since strays resets others began expires

	others=$(echo timeout-{syn,fin,udp}" 2")
	clb restore --add <<-END
	listener add tcp $VIP4:7000 mode nat timeout-established 10 $others
	server add tcp $VIP4:7000 $(server4 1):7000
	listener add udp $VIP4:$UDP_PORT mode nat $LONG
	server add udp $VIP4:$UDP_PORT $(server4 1):$UDP_PORT
	END
	is "a question by UDP" "$(tell client uopen u "$VIP4" "$UDP_PORT")" \
		"s1 hello"
	is "UDP both ways" "$(client_state udp "$UDP_PORT")" udp
	clb listener set udp "$VIP4:$UDP_PORT" timeout-udp 2
	is "UDP: another question" "$(tell client ask u)" "s1 hello"
	ok "UDP: ends" wait_for 15 no_session udp "$UDP_PORT"
	is "UDP: the next packet begins a new one" "$(tell client ask u)" \
		"s1 hello"
	is "a connection" "$(tell client open a "$VIP4" 7000)" "open 1"
	since=$SECONDS
	wait_for 20 older_than "$since" 4
	is "an idle connection is there" "$(client_state tcp 7000)" established
	began=$(now_ms)
	is "it works" "$(tell client ping a)" 1
	expires=$(client_expires tcp 7000)
	ok "a packet gives it all its time again" \
		[ $((expires + $(now_ms) - began)) -ge 9900 ]
	ok "idle for too long, it ends" wait_for 30 no_session tcp 7000
	strays=$(stat_of drop_no_session) resets=$(stat_of resets_sent)
	is "its next packet is of no session" "$(tell client ping a)" 0
	is "that is counted" "$(($(stat_of drop_no_session) - strays))" 1
	is "the client is reset" "$(($(stat_of resets_sent) - resets))" 1
}

ok "pool" clb local add "$NODE_BACK4"
ok "listeners: nat" listener nat 80 "$TIMEOUTS"
ok "listeners: dr" listener dr 81 "$TIMEOUTS"
ok "listeners: half-open ones will end" listener nat 82 "$LONG"
ok "listeners: closing ones will end" listener nat 83 "$LONG"
if part nat; then
	test_two_way "nat" 80
	test_unanswered "nat" 80
fi
if part nat6; then
	family 6
	ok "listeners: nat IPv6" listener nat 80 "$TIMEOUTS"
	test_two_way "nat IPv6" 80
	test_unanswered "nat IPv6" 80
	family 4
fi
if part dr; then
	test_one_way "dr" 81
	test_unanswered "dr" 81
fi
! part expiry || test_expiry
! part real || test_real
done_testing
