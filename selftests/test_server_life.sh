#!/bin/bash
# SPDX-License-Identifier: MIT
# What becomes of sessions when a server drains, goes down or is removed, and
# of a client that uses its port again. In all modes. Topology: lib.sh; two
# servers with conn.py at TCP port 7000 and UDP echo.
. "$(dirname "$0")/lib.sh"

topo_up 2 || exit 1
topo_tunnels || exit 1
# On one processor, for what they send to arrive in order: by two, the last ACK
# of a connection can be overtaken by the SYN of the next.
last_processor=$(($(nproc) - 1))
taskset -cp 0 $$ >/dev/null
start_client
for i in 1 2; do
	start_tcp "$i" || exit 1
	start_udp "$i" || exit 1
done
taskset -cp "0-$last_processor" $$ >/dev/null
clb local add "$NODE_BACK4" && clb local add "$NODE_BACK6" || exit 1

readonly PORT=7000

# family 4 or 6: what listener, client and server words stand for.
family() {
	f=$1
	vip_of "$1"
}
server() {
	if [ "$f" = 4 ]; then server4 "$1"; else echo "[$(server6 "$1")]"; fi
}
tcp_key() { echo tcp "$vip_host:$PORT"; }
udp_key() { echo udp "$vip_host:$UDP_PORT"; }

# begin MODE [KEYWORD...]: both listeners anew, with both servers, in turn.
begin() {
	clb restore <<-END
	local add $NODE_BACK4
	local add $NODE_BACK6
	$(for key in "$(tcp_key)" "$(udp_key)"; do
		echo "listener add $key mode $* scheduler rr"
		echo "server add $key $(server 1):${key##*:}"
		echo "server add $key $(server 2):${key##*:}"
	done)
	END
}
# act VERB NUMBER [WORD...]: "clbctl server VERB" on the TCP listener.
act() {
	local verb=$1 number=$2

	shift 2
	# shellcheck disable=SC2046 # words are meant to split
	clb server "$verb" $(tcp_key) "$(server "$number"):$PORT" "$@"
}
udp_act() {
	# shellcheck disable=SC2046 # words are meant to split
	clb server "$1" $(udp_key) "$(server "$2"):$UDP_PORT"
}

client() { tell client "$@"; }
resets_at() { grep -c '^reset' "$TMP/tcp.$1"; }	# SERVER
resets_are() { [ "$(resets_at "$1")" -eq "$2" ]; }	# SERVER COUNT
servers_have() { wait_for 5 resets_are "$1" "$2"; }

# What the client sends and gets of handshakes. A slow machine sends a SYN again
# while the answer is on its way; each is answered then.
in_client nft -f - <<NFT || exit 1
table inet handshakes {
	counter syn {}
	counter synack {}
	chain out {
		type filter hook output priority 0
		tcp flags & (syn | ack) == syn counter name syn
	}
	chain in {
		type filter hook input priority 0
		tcp flags & (syn | ack) == syn | ack counter name synack
	}
}
NFT
handshakes_reset() { in_client nft reset counters >/dev/null; }
syns_are_answered() { # the lost one never is
	in_client nft -j list counters | jq -e '[.nftables[].counter // empty |
		{(.name): .packets}] | add | .syn > 0 and .synack >= .syn'
}

# --- resets ------------------------------------------------------------------

# Four connections, two at each server, which say nothing while server 1 goes
# down and server 2 is removed.
test_resets() { # LABEL
	local r1 r2 sent

	r1=$(resets_at 1) r2=$(resets_at 2) sent=$(stat_of resets_sent)
	is "$1: connections" "$(client open a "$vip" "$PORT" 4)" "open 4"
	ok "$1: a server goes down" act down 1
	ok "$1: the server is reset" servers_have 1 $((r1 + 2))
	is "$1: its clients are reset" "$(client ended a 1 2)" \
		"reset=2 eof=0 open=2"
	client close a >/dev/null
	is "$1: new connections, all to the other" \
		"$(client open b "$vip" "$PORT" 2) $(client who b)" "open 2 s2=2"
	ok "$1: a server is removed" act del 2
	ok "$1: the server is reset" servers_have 2 $((r2 + 2))
	is "$1: its clients are reset" "$(client ended b 1 2)" \
		"reset=2 eof=0 open=0"
	is "$1: resets are counted" \
		"$(($(stat_of resets_sent) - sent >= 8))" 1
	client close b >/dev/null
}

# While clients have not acknowledged what they were sent, their listener goes:
# nobody is left to reset what they say later.
test_in_flight() { # LABEL MODE
	local r1 r2

	ok "$1: listeners anew" begin "$2"
	r1=$(resets_at 1) r2=$(resets_at 2)
	is "$1: connections" "$(client open a "$vip" "$PORT" 4)" "open 4"
	in_client nft -f - <<-NFT
	table inet mute {
		chain out {
			type filter hook output priority 0
			tcp dport $PORT tcp flags & (syn | fin | rst | psh) == 0 drop
		}
	}
	NFT
	is "$1: servers answer" "$(client who a)" "s1=2 s2=2"
	ok "$1: the listener goes before clients say that they know" \
		clb flush
	is "$1: they are reset" "$(client ended a $((10 * SLOW)))" \
		"reset=4 eof=0 open=0"
	ok "$1: so are the servers" servers_have 1 $((r1 + 2))
	ok "$1: both" servers_have 2 $((r2 + 2))
	in_client nft delete table inet mute
	client close a >/dev/null
}

test_udp_moves() { # LABEL
	local moved first one other

	moved=$(stat_of sessions_moved)
	first=$(client uopen u "$vip" "$UDP_PORT")
	one=${first:1:1} other=$((3 - ${first:1:1}))
	udp_act down "$one"
	is "$1: UDP moves with the next packet when a server goes down" \
		"$first, $(client ask u)" "s$one hello, s$other hello"
	udp_act up "$one"
	udp_act del "$other"
	is "$1: UDP moves with the next packet when a server is removed" \
		"$(client ask u)" "s$one hello"
	is "$1: both are counted" "$(($(stat_of sessions_moved) - moved))" 2
	client close u >/dev/null
}

none_established() {
	[ "$(clb_get length session show \
		server "$(server 1)" state established)" = 0 ]
}
test_reset_off() {
	local r1

	r1=$(resets_at 1)
	ok "reset off: listener" begin nat reset off
	is "reset off: connections" "$(client open a "$vip" "$PORT" 4)" \
		"open 4"
	ok "reset off: a server goes down" act down 1
	ok "reset off: sessions end" wait_for 10 none_established
	is "reset off: no client is reset" "$(client ended a 1)" \
		"reset=0 eof=0 open=4"
	is "reset off: no server is reset" "$(resets_at 1)" "$r1"
	gone=$(stat_of drop_no_session)
	is "reset off: packets of those clients have no answer" \
		"$(client ping a)" 2
	ok "reset off: they are counted" \
		[ "$(stat_of drop_no_session)" -gt "$gone" ]
	client close a rst >/dev/null
}

# --- drain -------------------------------------------------------------------

event_seen() { # STATE
	jq -se --arg state "$1" 'any(.[];
		.event == "server-set" and .server.state == $state)' \
		"$TMP/events"
}

state_of() { # NUMBER
	# shellcheck disable=SC2046 # words are meant to split
	clb_get '.[].state' server show $(tcp_key) "$(server "$1"):$PORT"
}

# A deadline counts from the moment a server begins to drain: it is up before.
test_drain() { # LABEL
	local began name="drain $1" none="weight 0 $1"

	ok "$name: listener" begin nat
	is "$name: connections" "$(client open a "$vip" "$PORT" 4)" "open 4"
	ok "$name: a server drains" act drain 1
	is "$name: no new sessions" \
		"$(client open b "$vip" "$PORT" 3) $(client who b)" "open 3 s2=3"
	is "$name: those it has go on" "$(client who a)" "s1=2 s2=2"
	spawn clb -j monitor >"$TMP/events"
	ok "$name: somebody listens" wait_for 20 hears "$TMP/events"
	ok "$name: it is up again" act up 1
	began=$(now_ms)
	ok "$name: with a deadline" act drain 1 timeout 2
	ok "$name: another, with a later one" act drain 2 timeout 900
	ok "$name: then it is down" wait_for 10 event_seen down
	ok "$name: not before its time" [ $(($(now_ms) - began)) -ge 2000 ]
	is "$name: its clients are reset" "$(client ended a 1 2)" \
		"reset=2 eof=0 open=2"
	stop "$spawned"
	is "$name: the other is not" "$(state_of 2)" drain
	is "$name: and its sessions go on" "$(client ping b)" 3
	ok "$name: it comes up again" act up 1
	ok "$name: and the other" act up 2
	client close a >/dev/null
	client open a "$vip" "$PORT" 4 >/dev/null
	is "$name: and gets its share" "$(client who a)" "s1=2 s2=2"
	ok "$none: set" act set 1 weight 0
	client close b >/dev/null
	is "$none: no new sessions" \
		"$(client open b "$vip" "$PORT" 3) $(client who b)" "open 3 s2=3"
	is "$none: those it has go on" "$(client who a)" "s1=2 s2=2"
	client close a >/dev/null
	client close b >/dev/null
}

# --- before the session ends -------------------------------------------------

# hold_workers: unbound work, the module's with it, may use one processor alone,
# and a process of a higher class has that to itself.
readonly WORKERS=/sys/devices/virtual/workqueue/cpumask
hold_workers() {
	workers=$(cat "$WORKERS")
	runtime=$(sysctl -n kernel.sched_rt_runtime_us)
	sysctl -qw kernel.sched_rt_runtime_us=-1
	echo 2 >"$WORKERS"
	spawn taskset 2 chrt -f 1 awk \
		'BEGIN { print "held"; fflush(); while (1); }' >"$TMP/held"
	wait_for 10 grep -q held "$TMP/held"
}
release_workers() {
	stop "$spawned"
	echo "$workers" >"$WORKERS"
	sysctl -qw "kernel.sched_rt_runtime_us=$runtime"
}

readonly CLIENT=192.0.2.99 SERVER=198.51.100.99
raw_flow() { # CLIENT_PORT
	tell raw flow "$CLIENT" "$1" "$VIP4" 81 "$SERVER" 81 >/dev/null
}
handshake() { # CLIENT_PORT
	raw_flow "$1"
	tell raw c S >/dev/null
	tell raw s SA >/dev/null
	tell raw c A >/dev/null
}
# counted COUNTER CLIENT_PORT WORD...: by how much a packet of raw.py moves it.
counted() {
	local before

	before=$(stat_of "$1")
	raw_flow "$2"
	tell raw "${@:3}" >/dev/null
	wait_for 5 stat_above "$1" "$before"
	echo $(($(stat_of "$1") - before))
}
count_sessions() { clb session count client "$CLIENT"; }

# The server is down, but nothing has ended its sessions yet.
test_gone() {
	local port

	if [ "$(nproc)" -lt 2 ]; then
		skip "gone" "one processor"
		return
	fi
	start_raw || exit 1
	ip -n "$NS-node" neigh add "$CLIENT" lladdr 02:00:00:00:00:99 dev front
	ip -n "$NS-node" neigh add "$SERVER" lladdr 02:00:00:00:00:99 dev back
	ok "gone: listener" clb listener add tcp "$VIP4:81" mode nat
	ok "gone: server" clb server add tcp "$VIP4:81" "$SERVER:81"
	for port in 4001 4002 4003; do
		handshake "$port"
	done
	ok "gone: workers are held up" hold_workers
	ok "gone: the server goes down" clb server down tcp "$VIP4:81" \
		"$SERVER:81"
	is "gone: its sessions are there" "$(count_sessions)" 3
	is "gone: a packet of a client is dropped for that" \
		"$(counted drop_server_gone 4001 c A +10)" 1
	is "gone: with its session" "$(count_sessions)" 2
	is "gone: the next one is of no session" \
		"$(counted drop_no_session 4001 c A +10)" 1
	is "gone: a packet of the server is dropped for that" \
		"$(counted drop_server_gone 4002 s A +10)" 1
	is "gone: a SYN begins anew, with no server" \
		"$(counted drop_no_server 4003 c S)" 1
	is "gone: all are over" "$(count_sessions)" 0
	release_workers
	clb listener del tcp "$VIP4:81"
}

# --- the same port again -----------------------------------------------------

# Connections in a row from one port. A SYN without an answer is a second lost.
test_reuse() { # LABEL
	local how

	handshakes_reset
	for how in client server client-rst server-rst; do
		is "$1: from one port again and again, ended by $how" \
			"$(client reuse "$vip" "$PORT" 5 40001 "$how")" 5
	done
	ok "$1: each SYN is answered" wait_for 10 syns_are_answered
}

# The old server is down and the client knows nothing of it.
test_reuse_down() {
	local one

	handshakes_reset
	ok "reuse: listener" begin nat reset off
	is "reuse: a connection" "$(client open a "$vip" "$PORT" 1 40002)" \
		"open 1"
	one=$(client who a) one=${one:1:1}
	ok "reuse: its server goes down" act down "$one"
	client close a rst >/dev/null
	is "reuse: a connection from the same port" \
		"$(client open a "$vip" "$PORT" 1 40002) $(client who a)" \
		"open 1 s$((3 - one))=1"
	ok "reuse: each SYN is answered" wait_for 10 syns_are_answered
	client close a >/dev/null
}

# The client shall forget a connection it closed: TIME_WAIT is its own matter.
in_client sysctl -qw net.ipv4.tcp_max_tw_buckets=0
for mode in nat fnat dr tun; do
	for i in 4 6; do
		part "$mode$i" || continue
		family "$i"
		ok "$mode IPv$i: listeners" begin "$mode"
		test_reuse "$mode IPv$i"
		ok "$mode IPv$i: listeners anew" begin "$mode"
		test_resets "$mode IPv$i"
		test_udp_moves "$mode IPv$i"
		# of those who answer past the node it knows no numbers
		[[ $mode != *nat ]] || test_in_flight "$mode IPv$i" "$mode"
	done
done
for i in 4 6; do
	family "$i"
	! part drain || test_drain "IPv$i"
done
family 4
! part reset-off || test_reset_off
! part reuse-down || test_reuse_down
! part gone || test_gone
done_testing
