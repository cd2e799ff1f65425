#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: join-guest.sh
# The cases of "make bench-sync" of a node that joins another one, which has many
# sessions. Runs in User-Mode Linux, for sync.sh. Prints "result NAME VALUE UNIT"
# for each case and round.
#
#	clients -- in0 [this namespace: node 1] out0 -- servers
#	                         sync 10.7.0.1
#	                          |
#	                         sync 10.7.0.2
#	               [namespace join: node 2]
#
# Both nodes, and all their threads, are on one processor here. The time of a
# packet is that of slices in which nobody else runs (inject/slices.c), the making
# of the packet included. What threads cost the packet path is that they leave
# nothing of it in the caches: the slices after they ran take longer. So the mean of
# all slices is compared with that of the slices some way off, in the same seconds.
# What the threads themselves take is a share of the processor, told beside it.
#
# environment: CASES="clb/sync/join/*" ROUNDS=3 SESSIONS=1000000
# shellcheck source=selftests/bench/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"
# shellcheck source=selftests/bench/balancers.sh
. "$BENCH/balancers.sh"

readonly SESSIONS=${SESSIONS:-1000000} ROUNDS=${ROUNDS:-3}
readonly BURST=100000	# packets between two looks at whether it is over
readonly LEAST=1000	# slices of each kind that make a result
readonly READY_TIME=300	# that the joining node may take
readonly TICKS=100	# of the processor's time in /proc, a second

# shellcheck disable=SC2154 # of lib.sh
node2() { "$clbctl" -n join "$@"; }
node1_is() { "$clbctl" -j sync | jq -e "$1" >/dev/null; }

until_true() { # COMMAND...
	local end=$((SECONDS + READY_TIME))

	until "$@"; do
		if [ "$SECONDS" -gt "$end" ]; then
			say "failed: waited in vain for: $*"
			exit 1
		fi
		sleep 0.2
	done
}

start_sync() { # NODE NAMESPACE-OPTION...
	"$clbctl" "${@:2}" sync start node "$1" interface sync \
		group 239.7.0.1 secret "$TMP/secret"
}

link_up() {
	ip netns add join
	ip link add sync type veth peer name sync netns join
	ip addr add 10.7.0.1/24 dev sync
	ip link set sync up
	ip -n join addr add 10.7.0.2/24 dev sync
	ip -n join link set sync up
}

# Its end must be over before the module goes.
link_down() {
	local gone

	gone=$(namespaces_gone)
	ip netns del join
	wait_namespace_gone "$gone"
}

# Node 1 has the sessions, has told of all of them, and has nothing else to do.
nodes_up() {
	net_up 4
	link_up
	inject flows udp in0 out0 "$CLIENT4" "$VIP4" "$PORT" "$SESSIONS"
	load clb
	clb_service nat udp "$VIP4" 4
	"$clbctl" save | node2 restore || exit 1
	inject learn 1
	play "$SESSIONS" 0 1 in: && play "$SESSIONS" 0 1 out: || exit 1
	inject learn 0
	clb_ready
	(umask 077 && openssl rand -hex 32 >"$TMP/secret")
	start_sync 1 || exit 1
	until_true node1_is ".ready and .sent_sessions >= $SESSIONS"
}

# Seconds of the processor that a thread has had.
thread_time() { # PID
	awk -v hz="$TICKS" '{ print ($14 + $15) / hz }' "/proc/$1/stat"
}

# --- packets -------------------------------------------------------------------

# One burst after the other through sessions far from each other, until the file
# $TMP/over is there; a line for each: slices after others ran and their time, the
# other slices and theirs, and how long others ran.
packets() {
	local first=0 stride got line

	stride=$(stride "$SESSIONS")
	while [ ! -e "$TMP/over" ]; do
		inject run "$BURST" "$first" "$stride" in:
		read -r line </proc/inject
		got=${line#* out }
		[ "${got%% *}" -eq "$BURST" ] || echo "lost ${line}"
		echo "${line#* near }"
		first=$(((first + BURST * stride) % SESSIONS))
	done
}

packets_begin() {
	rm -f "$TMP/over"
	packets >"$TMP/packets" &
	player=$!
}

# Sets $ns and $alone, of a packet in all slices and in those some way off, and
# $away, seconds of others.
packets_end() {
	local near far

	touch "$TMP/over"
	wait "$player"
	if grep '^lost' "$TMP/packets"; then
		say "failed: not every packet came through"
		failed=1
	fi
	# NEAR-SLICES NS far FAR-SLICES NS away NS
	read -r near far ns alone away < <(awk -v n="$SLICE" '
		$3 == "far" {
			near += $1; took += $2; far += $4; rest += $5
			away += $7
		}
		END { printf "%d %d %.1f %.1f %.2f\n", near, far,
			(took + rest) / (near + far + !(near + far)) / n,
			rest / (far + !far) / n, away / 1e9 }' "$TMP/packets")
	say "$near slices after others ran, $far other ones"
	if [ "$near" -lt "$LEAST" ] || [ "$far" -lt "$LEAST" ]; then
		say "failed: too few slices"
		failed=1
		return 1
	fi
}

# --- joining -------------------------------------------------------------------

now_us() { echo "${EPOCHREALTIME/./}"; }

# Events of node 2 come from descriptor $events, from now on.
events_open() {
	local line

	exec {events}< <(exec "$clbctl" -n join monitor)
	until read -r -t 0.5 -u "$events" line; do
		node2 settings set fast-path on
	done
}

events_close() { exec {events}<&-; }

wait_ready() {
	local line=''

	until [ "$line" = "sync ready" ]; do
		read -r -t "$READY_TIME" -u "$events" line || return
	done
}

# Node 2 starts with nothing. Sets $took, seconds until it is ready, and those of
# the processor that both threads had, $sender and $receiver.
join() {
	local giver start end before count

	giver=$(pgrep -ox clb_sync_send)
	events_open
	before=$(thread_time "$giver")
	start=$(now_us)
	if ! start_sync 2 -n join || ! wait_ready; then
		say "failed: it does not get ready"
		exit 1
	fi
	end=$(now_us)
	receiver=$(thread_time "$(pgrep -nx clb_sync_recv)")
	sender=$(awk -v b="$before" -v a="$(thread_time "$giver")" \
		'BEGIN { printf "%.2f", a - b }')
	took=$(awk -v us=$((end - start)) 'BEGIN { printf "%.2f", us / 1e6 }')
	events_close
	count=$(node2 session count)
	[ "$count" -eq "$SESSIONS" ] || {
		say "failed: it has $count sessions of $SESSIONS"
		failed=1
	}
}

leave() {
	node2 sync stop
	node2 session del
	until_true node1_is ".queue == 0"
}

join_alone() {
	join
	echo "result clb/sync/join/time@$SESSIONS $took s"
	echo "result clb/sync/join/sender@$SESSIONS $sender s"
	echo "result clb/sync/join/receiver@$SESSIONS $receiver s"
	awk -v t="$took" -v s="$sender" -v r="$receiver" -v n="$SESSIONS" 'BEGIN {
		printf "result clb/sync/join/sender-share@%d %.3f ratio\n", n, s / t
		printf "result clb/sync/join/receiver-share@%d %.3f ratio\n", n, r / t
	}'
	leave
}

join_under_packets() {
	packets_begin
	join
	packets_end || return
	leave
	echo "result clb/sync/join/time+packets@$SESSIONS $took s"
	say "others had $away s of it: sender $sender, receiver $receiver"
	echo "result clb/sync/packet-path/join@$SESSIONS $ns ns"
	awk -v a="$alone" -v j="$ns" 'BEGIN { printf "%.3f\n", j / a }' |
		tee -a "$TMP/ratios" |
		sed "s|.*|result $RATIO & ratio|"
}
readonly RATIO=clb/sync/packet-path/join@$SESSIONS:alone

# The median of the rounds is what the reach is about.
judge() {
	local limit

	limit=$(awk '$1 == "clb/sync/packet-path/join@1000000:alone" {
		print $2 }' "$BENCH/reach")
	sort -n "$TMP/ratios" 2>/dev/null | awk -v limit="$limit" '
		{ ratio[NR] = $1 }
		END { median = ratio[int((NR + 1) / 2)]
			exit !(NR && median <= limit) }' || {
		say "failed: $RATIO: over $limit, or nothing was measured"
		failed=1
	}
}

rounds() {
	local i

	nodes_up
	for ((i = 0; i < ROUNDS; i++)); do
		join_alone
		join_under_packets
	done
	judge
	"$clbctl" sync stop
	link_down
	unload clb
}

if [ $# -gt 0 ]; then
	"$@"		# by apart
	exit "$failed"
fi
inject_load
group "clb/sync/join/time@$SESSIONS $RATIO" rounds
exit "$failed"
