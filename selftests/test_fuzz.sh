#!/bin/bash
# SPDX-License-Identifier: MIT
# Fuzzing of the running module: netlink messages (fuzz/netlink.c), packets
# (fuzz/packets.c) and datagrams of session sync (fuzz/sync.c), valid ones and
# such as have something wrong. Afterwards all still works, and nothing is left;
# what else may happen is seen in the kernel's log. A failure is run again with
# its seed.
#
#	        10.1.0.0/24  2001:db8:1::/64	clients, behind .4.2
#	         |
#	        front  10.4.0.1  2001:db8:4::1
#	        node		VIPs 10.2.0.1, .2, .3  2001:db8:2::1, ::2, ::3
#	        back   10.3.0.254  2001:db8:3::fe
#	         |
#	        10.3.0.1 ... .8  2001:db8:3::1 ... ::8	servers
#
# Clients and servers are packets.c, in the namespace at the other ends; there is
# one end of the link of sync, 10.7.0.0/24, too.
#
# environment:
#	FUZZ_MESSAGES=20000	netlink messages of a round
#	FUZZ_PACKETS=100000	packets of a round
#	FUZZ_DATAGRAMS=20000	datagrams of sync of a round
#	FUZZ_SEED=1		of the first round; later ones count on
#	FUZZ_TIME=		seconds: rounds until they are over; else one
#	PARTS="netlink packets sync"	just these
. "$(dirname "$0")/lib.sh"

bin=${FUZZ_BIN:-$TOP/build/fuzz}
[ -x "$bin/packets" ] || skip_all "no $bin/packets: make fuzzers"
messages=${FUZZ_MESSAGES:-20000} packets=${FUZZ_PACKETS:-100000}
datagrams=${FUZZ_DATAGRAMS:-20000}
seed=${FUZZ_SEED:-1}

_ns_add node net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
	net.ipv4.icmp_msgs_per_sec=1000000

# --- netlink --------------------------------------------------------------

netlink_fuzz() { # SEED
	in_node "$bin/netlink" sync "$messages" "$1" "/run/netns/$NS-wire" front
}

# To the servers of its messages, and back to its clients.
netlink_ways() {
	ip -n "$NS-node" -batch - <<-IP
	route add 198.51.100.0/24 via 10.3.0.1
	route add 2001:db8:6400::/48 via 2001:db8:3::1
	route add 198.51.2.0/24 via 10.4.0.2
	route add 2001:db8:200::/48 via 2001:db8:4::2
	IP
}

# A saved configuration, restored, is saved alike.
save_restore() {
	clb save >"$TMP/saved" && clb restore "$TMP/saved" &&
		clb save | diff "$TMP/saved" -
}

netlink_round() {
	show "$messages netlink messages, seed $1" netlink_fuzz "$1"
	ok "what they left can be saved and restored" save_restore
	ok "it can be flushed" clb flush
	is "nothing is left of it" "$(clb save)" ""
	ok "sync can be stopped" sync_end
	ok "sessions can be ended" clb session del
	ok "there is none" wait_for 10 no_sessions
}

sync_end() { [ "$(clb_get .running sync)" != true ] || clb sync stop; }

# --- packets --------------------------------------------------------------

wires_up() {
	local i

	_ns_add wire
	ip link add front address 02:00:00:00:00:01 mtu 9000 \
		netns "$NS-node" type veth peer name front mtu 9000 \
		netns "$NS-wire" || return
	ip link add back address 02:00:00:00:00:02 netns "$NS-node" type veth \
		peer name back netns "$NS-wire" || return
	ip -n "$NS-wire" link set front up
	ip -n "$NS-wire" link set back up
	ip -n "$NS-node" -batch - <<-IP || return
	link set lo up
	link set front up
	link set back up
	addr add 10.4.0.1/24 dev front
	addr add 2001:db8:4::1/64 dev front nodad
	addr add 10.3.0.254/24 dev back
	addr add 2001:db8:3::fe/64 dev back nodad
	neigh add 10.4.0.2 dev front lladdr 02:00:00:00:00:09
	neigh add 2001:db8:4::2 dev front lladdr 02:00:00:00:00:09
	route add 10.1.0.0/16 via 10.4.0.2
	route add 2001:db8:1::/48 via 2001:db8:4::2
	$(for i in {1..8}; do
		echo "neigh add 10.3.0.$i dev back lladdr 02:00:00:00:00:09"
		echo "neigh add 2001:db8:3::$i dev back lladdr 02:00:00:00:00:09"
	done)
	IP
}

# listener KEY SERVERS OPTION...: in the form of clbctl restore
listener() {
	local key=$1 servers=$2 server

	shift 2
	echo "listener add $key $* timeout-syn 1 timeout-fin 1 timeout-udp 2" \
		"timeout-established 10"
	for server in $servers; do
		echo "server add $key $server"
	done
}

# Every mode for both protocols and families; a server of each family in TUN.
configuration() {
	local v4="10.3.0.1 10.3.0.2 10.3.0.3" proto told
	local v6="2001:db8:3::1 2001:db8:3::2 2001:db8:3::3"

	echo "local add 10.3.0.254"
	echo "local add 2001:db8:3::fe"
	for proto in tcp udp; do
		told=off
		[ "$proto" = udp ] || told=on
		listener "$proto 10.2.0.1:80" "$v4" mode nat
		listener "$proto 10.2.0.1:81" "$v4" mode fnat scheduler rr \
			client-address "$told"
		listener "$proto 10.2.0.1:82" "$v4" mode dr scheduler lc
		listener "$proto 10.2.0.1:83" "10.3.0.1 2001:db8:3::4" mode tun
		listener "$proto 10.2.0.2:80" "$v4" mode nat scheduler mh \
			hash tuple
		listener "$proto 10.2.0.2:84" "$v4" mode nat persistence 1 \
			persistence-prefix 24
		listener "$proto 10.2.0.2:85" "$v4" mode fnat scheduler wlc \
			max-sessions 100 rate 10m acl deny reset off
		echo "acl add $proto 10.2.0.2:85 10.1.0.0/27 10.1.0.128/28"
		listener "$proto 10.2.0.3:all" "$v4" mode nat scheduler fo
		listener "$proto [2001:db8:2::1]:80" "$v6" mode nat
		listener "$proto [2001:db8:2::1]:81" "$v6" mode fnat \
			client-address "$told"
		listener "$proto [2001:db8:2::1]:82" "$v6" mode dr
		listener "$proto [2001:db8:2::1]:83" "2001:db8:3::1 10.3.0.4" \
			mode tun
		listener "$proto [2001:db8:2::2]:84" "$v6" mode fnat \
			max-new-sessions 1000
		listener "$proto [2001:db8:2::3]:all" "$v6" mode nat \
			scheduler mh persistence 1
	done
}

packets_fuzz() { # SEED
	in_ns wire "$bin/packets" "$packets" "$1"
}

# Servers go and come back, and sessions are listed, while packets pass.
churn() {
	local n=0

	while [ ! -e "$TMP/enough" ]; do
		n=$((n % 3 + 1))
		sed "/10\\.3\\.0\\.$n\$/d" "$TMP/conf" >"$TMP/less"
		clb restore "$TMP/less" && clb session show >/dev/null
		clb restore "$TMP/conf" && clb save >/dev/null
		clb server drain tcp 10.2.0.1:80 "10.3.0.$n"
	done >/dev/null 2>&1
}

# Prints those that saw no packet; fails if there are.
every_listener_used() {
	! clb -j listener show | jq -c '.. | objects |
		select(.in_packets? == 0) | [.protocol, .address, .port]' |
		grep .
}

no_sessions() { [ "$(stat_of sessions)" = 0 ]; }

packets_round() { # SEED
	local churn

	ok "configuration with every mode" clb restore "$TMP/conf"
	# messages may have changed them
	ok "settings" clb settings set fast-path on max-sessions 1000000
	rm -f "$TMP/enough"
	churn &
	churn=$!
	show "$packets packets, seed $1" packets_fuzz "$1"
	: >"$TMP/enough"
	wait "$churn"
	ok "every listener had packets" every_listener_used
	for name in fast_packets icmp_translated fragments sessions_expired \
		resets_sent client_address_removed client_address_omitted; do
		ok "some of them: $name" [ "$(stat_of "$name")" -gt 0 ]
	done
	ok "the configuration is as it was" clb restore "$TMP/conf"
	diag "sessions created: $(stat_of sessions_created)," \
		"fast packets: $(stat_of fast_packets)"
	ok "flush" clb flush
	ok "sessions end" wait_for 20 no_sessions
}

# --- session sync ---------------------------------------------------------

readonly GROUP=239.7.0.1 KEPT=200

link_up() {
	ip link add sync netns "$NS-node" type veth peer name sync \
		netns "$NS-wire" || return
	ip -n "$NS-node" addr add 10.7.0.1/24 dev sync
	ip -n "$NS-wire" addr add 10.7.0.9/24 dev sync
	ip -n "$NS-node" link set sync up
	ip -n "$NS-wire" link set sync up
}

# With sessions that nothing of what follows may change: a listener of its own.
sync_configuration() {
	cat "$TMP/conf"
	echo "listener add tcp 10.2.0.9:80"
	printf 'server add tcp 10.2.0.9:80 10.3.0.%d\n' 1 2 3
}

# Whether a datagram that was overtaken is late must not be a matter of time.
sync_start() { # [KEYWORD VALUE]...
	(umask 077 && printf '%064d\n' 7 >"$TMP/secret")
	clb sync start node 1 interface sync group "$GROUP" \
		secret "$TMP/secret" "$@"
}

# Its counters, one a line.
sync_counters() { clb_get 'to_entries[] | "\(.key) \(.value)"' sync; }

# On one processor, for datagrams to arrive in the order of their sending.
sync_tell() { # keep|fuzz COUNT SEED
	in_node taskset 1 "$bin/sync" "$@" "/run/netns/$NS-wire" sync "$GROUP" 1 \
		"$(clb_get .epoch sync)" "$TMP/secret" | tee "$TMP/expected"
	return "${PIPESTATUS[0]}"
}

# What sync.c expects, and by how much the counters have risen since $TMP/before;
# each session that was told is made, known, or refused for a reason.
sync_compare() {
	sync_counters | awk -v before="$TMP/before" -v expected="$TMP/expected" '
	BEGIN { while (getline <before) old[$1] = $2 }
	{ risen[$1] = $2 - old[$1] }
	/^(created|updated|refused_)/ { risen["sessions"] += $2 - old[$1] }
	END {
		while (getline <expected) {
			if ($1 != "expect")
				continue
			checked++
			if (risen[$2] == $3)
				continue
			printf "%s: %d, expected %d\n", $2, risen[$2], $3
			wrong = 1
		}
		exit wrong || !checked
	}'
}

# All its sessions, but for how long they have left.
sync_table() {
	clb_get 'map(del(.expires_ms) | tojson) | sort[]' session
}
kept_unchanged() { sync_table | diff "$TMP/table" -; }
only_kept() { [ "$(stat_of sessions)" = "$KEPT" ]; }
none_of_pool() { [ "$(clb_get 'map(.sessions) | add' local)" = 0 ]; }

sync_round() { # SEED
	sync_configuration >"$TMP/sync-conf"
	ok "configuration for sync" clb restore "$TMP/sync-conf"
	ok "room for fewer sessions than will be told" \
		clb settings set fast-path on max-sessions 20000
	ok "sync starts" sync_start reorder 0
	sync_counters >"$TMP/before"
	show "$KEPT sessions are told" sync_tell keep "$KEPT" "$1"
	ok "the node has them" wait_for 10 only_kept
	sync_table >"$TMP/table"
	ok "it counts what it got" wait_for 10 sync_compare
	sync_counters >"$TMP/before"
	show "$datagrams datagrams, seed $1" sync_tell fuzz "$datagrams" "$1"
	ok "each is counted as what it is" wait_for 10 sync_compare
	show "something of all kinds came about" sync_all_ways
	ok "those that were made end" wait_for 30 only_kept
	ok "the others are as they were" kept_unchanged
	ok "local ports are free again" wait_for 10 none_of_pool
	sync_counters >"$TMP/before"
	show "the node still believes who has the secret" \
		sync_tell keep "$KEPT" "$1"
	ok "and counts it" wait_for 10 sync_compare
	ok "sync stops" clb sync stop
	sync_waiting "$1"
	ok "settings" clb settings set max-sessions 1000000
	ok "flush" clb flush
	ok "sessions end" wait_for 20 no_sessions
}

# Once more, to a node where early datagrams wait.
sync_waiting() { # SEED
	ok "sync starts, early datagrams wait" sync_start
	sync_counters >"$TMP/before"
	show "$((datagrams / 4)) datagrams more" \
		sync_tell fuzz $((datagrams / 4)) "$1"
	sed -Ei '/(replayed|late|malformed|stranger|missed|sessions) /d' \
		"$TMP/expected"
	ok "each is counted as what it is, where time does not matter" \
		wait_for 10 sync_compare
	ok "some waited" [ "$(clb_get .early sync)" -gt 0 ]
	ok "those that were made then end" wait_for 30 only_kept
	ok "the others are still as they were" kept_unchanged
	ok "sync stops again" clb sync stop
}

# Or the fuzzer has lost its way.
sync_all_ways() {
	local name

	sync_counters >"$TMP/after"
	for name in created updated ended gaps_repaired \
		refused_{listener,server,unfit,conflict,ended}; do
		grep "^$name [1-9]" "$TMP/after" || {
			echo "none: $name"
			return 1
		}
	done
}

# show NAME COMMAND...: as ok, but what it says is shown in any case.
show() {
	ok "$@"
	last_ok && _tap_output
}

# --- rounds ---------------------------------------------------------------

configuration >"$TMP/conf"
ok "a network" wires_up
ok "a link for sync" link_up
ok "ways to what messages are about" netlink_ways
end=$((SECONDS + ${FUZZ_TIME:-0}))
while :; do
	! part netlink || netlink_round "$seed"
	! part packets || packets_round "$seed"
	! part sync || sync_round "$seed"
	seed=$((seed + 1))
	[ "$SECONDS" -lt "$end" ] || break
done
done_testing
