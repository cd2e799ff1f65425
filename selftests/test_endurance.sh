#!/bin/bash
# SPDX-License-Identifier: MIT
# For long: sessions by the hundred thousand (make check-endurance: by the
# million) are made and expire, and memory is back where it was; floods of SYNs
# and of UDP flows against a full table, while established connections lose
# nothing. Topology: lib.sh; the sink is on the node, sessions by the million
# come straight from its device "pump":
#
#	pump (pktgen) ---> node ---> sink 10.9.0.x
#
# environment:
#	ENDURANCE_SESSIONS=200000
#	ENDURANCE_FLOOD=20000	sessions that a flood has to push out; half as
#				many may there be
. "$(dirname "$0")/lib.sh"

readonly SESSIONS=${ENDURANCE_SESSIONS:-200000} FLOOD=${ENDURANCE_FLOOD:-20000}
readonly SINK_KEY="udp $VIP4:99" TCP_KEY="tcp $VIP4:7000"
readonly CONNECTIONS=100
FLOOD_BIN=${FLOOD_BIN:-$TOP/build/flood}

topo_up 1 || exit 1
modprobe pktgen || skip_all "no pktgen"
[ -x "$FLOOD_BIN" ] || skip_all "no $FLOOD_BIN"
node_sink
ip -n "$NS-node" -batch - <<-IP || exit 1
	link add pump type dummy
	link set pump up
	neigh add 10.9.0.1 lladdr 02:00:00:00:00:02 dev sink nud permanent
IP
start_client
start_tcp 1 || exit 1

# --- made and expired --------------------------------------------------------

# pump COUNT: one packet from each of so many clients, by the kernel. 40,000
# ports and 251 addresses are coprime: it takes 10 million packets until one
# comes again.
pump() {
	# shellcheck disable=SC2016 # for sh
	in_node sh -c '
		cd /proc/net/pktgen || exit
		echo rem_device_all >kpktgend_0
		echo "add_device pump" >kpktgend_0 &&
		for w in "xmit_mode netif_receive" "count $1" "pkt_size 60" \
			"delay 0" "dst $2" "dst_mac $3" "burst 1" \
			"src_min 10.24.0.1" "src_max 10.24.0.251" \
			"udp_dst_min 99" "udp_dst_max 99" \
			"udp_src_min 1024" "udp_src_max 41023"; do
			echo "$w" >pump || exit
		done
		echo start >pgctrl; echo rem_device_all >kpktgend_0' \
		sh "$1" "$VIP4" "$(in_node cat /sys/class/net/pump/address)"
}

session_objects() {
	echo 1 >/sys/kernel/slab/clb_session/shrink
	awk '{print $1}' /sys/kernel/slab/clb_session/objects
}
# Kilobytes for each CPU, of slabs not given back, of vmalloc, after caches of
# the CPUs and of file systems were emptied.
memory() {
	local cache

	for cache in /sys/kernel/slab/*/shrink; do
		echo 1 >"$cache"
	done 2>/dev/null
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^Percpu:|^SUnreclaim:|^VmallocUsed:/ {sum += $2}
		END {print sum}' /proc/meminfo
}
# as much as a tenth of the sessions at a time would take, and no less than
# what other parts of the kernel move by
memory_at_most() { [ "$(memory)" -le "$1" ]; }
objects_at_most() { [ "$(session_objects)" -le "$1" ]; }

sessions_come_and_go() {
	local before objects created since at_once

	# shellcheck disable=SC2086 # a key is two words
	clb listener add $SINK_KEY mode nat timeout-udp 1 &&
		clb server add $SINK_KEY 10.9.0.1 || return
	pump 5000		# caches are warm
	wait_for 30 none_left
	before=$(memory) objects=$(session_objects)
	created=$(stat_of sessions_created)
	since=$SECONDS
	pump "$SESSIONS"
	at_once=$(stat_of sessions)
	is "each packet has made a session" \
		"$(($(stat_of sessions_created) - created))" "$SESSIONS"
	ok "sessions expire" wait_for 60 none_left
	diag "$SESSIONS sessions in $((SECONDS - since)) s," \
		"$at_once at once at the end"
	is "all of them expired, none was evicted" \
		"$(stat_of sessions_created)" "$(stat_of sessions_expired)"
	ok "their memory is free" \
		wait_for 30 objects_at_most $((objects + 64))
	ok "the table is small again" \
		wait_for 60 memory_at_most $((before + 1024))
	diag "memory before $before kB, after $(memory) kB"
	# shellcheck disable=SC2086 # a key is two words
	is "packets went to the server" "$(clb_get '.[].in_packets' \
		server show $SINK_KEY)" $((SESSIONS + 5000))
}

# --- floods ------------------------------------------------------------------

client() { tell client "$@"; }
table_is_full() { [ "$(stat_of sessions)" -ge "$1" ]; }
evicted_since() { echo $(($(stat_of sessions_evicted) - $1)); }
# New sessions that could not be made, by reason.
refused() {
	clb_get '.drop_session_limit, .drop_no_server, .drop_no_memory' stats |
		paste -s
}

# Of ten new connections, one after the other. On one processor the flood fills the
# kernel's queues: where a client's ACK is lost there, and what it says next, its
# session is half-open, and gives way to the flood as any other: on slow kernels
# not all have to be served.
new_served() {
	local i served=0

	for i in 1 2 3 4 5 6 7 8 9 10; do
		[ "$(client open "new$i" "$VIP4" 7000)" != "open 1" ] ||
			served=$((served + 1))
		client close "new$i" rst >/dev/null
	done
	echo "$served"
}

# A flood that has filled the table goes on while the connections are used.
flood() { # NAME KIND PORT
	local name=$1 rounds=0 working=$CONNECTIONS evicted before served

	before=$(refused) evicted=$(stat_of sessions_evicted)
	spawn in_client "$FLOOD_BIN" "$2" "$VIP4" "$3" 0 10.32.0.1 65536 \
		$(((300 + FLOOD / 500) * SLOW)) >"$TMP/flood"
	ok "$name: the table is full" \
		wait_for 60 table_is_full $((FLOOD / 2))
	while kill -0 "$spawned" && [ "$working" = "$CONNECTIONS" ] &&
	      { [ "$rounds" -lt 3 ] ||
		[ "$(evicted_since "$evicted")" -lt "$FLOOD" ]; }; do
		working=$(HEAR_TIMEOUT=$((600 * SLOW)) client ping held 60)
		rounds=$((rounds + 1))
	done
	is "$name: established connections lose nothing" "$working" \
		"$CONNECTIONS"
	served=$(new_served)
	ok "$name: most new connections are served meanwhile" \
		[ "$served" -ge "$(size 10 6)" ]
	diag "$name: $served of 10 were, at the first attempt"
	stop "$spawned"
	ok "$name: others made room" \
		[ "$(evicted_since "$evicted")" -ge "$FLOOD" ]
	diag "$(evicted_since "$evicted") made room during $rounds rounds" \
		"of $CONNECTIONS connections"
	is "$name: nobody was refused" "$(refused)" "$before"
	ok "$name: no more sessions than allowed" \
		[ "$(stat_of sessions)" -le $((FLOOD / 2)) ]
}

floods() {
	clb flush
	# shellcheck disable=SC2086 # a key is two words
	clb listener add $TCP_KEY mode nat &&
		clb server add $TCP_KEY "$(server4 1)" &&
		clb listener add $SINK_KEY mode nat timeout-udp 300 &&
		clb server add $SINK_KEY 10.9.0.1 &&
		clb settings set max-sessions $((FLOOD / 2)) || return
	is "established connections" \
		"$(client open held "$VIP4" 7000 "$CONNECTIONS")" \
		"open $CONNECTIONS"
	flood "UDP flood" udp 99
	flood "SYN flood" syn 7000
	client close held rst >/dev/null
}

sessions_come_and_go
floods
done_testing
