#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: l4-guest.sh
# The cases of "make bench-l4". Runs in the guest of l4.sh; the network and the
# way to measure are in lib.sh. Prints "result NAME VALUE UNIT" for each case;
# a case in which packets were lost measures something else and fails.
#
# environment: CASES="clb/nat/* ipvs/nat/udp/new": only these; ROUNDS=5, where it is
#	time that is taken
# shellcheck source=selftests/bench/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"
# shellcheck source=selftests/bench/balancers.sh
. "$BENCH/balancers.sh"

readonly ROUNDS=${ROUNDS:-5}
readonly MORE_ROUNDS=10	# of the cases for which the processor was slow so far

# --- what one would use instead ------------------------------------------------

limit() {
	net_up 1
	flows udp "$CLIENT4" "$(servers4 1)" 1000
	tc qdisc add dev in0 clsact
	tc filter add dev in0 ingress matchall \
		action mirred egress redirect dev out0
	established limit/tc-redirect in:
	tc qdisc del dev in0 clsact
	established forward in:
}

forwarding6() {
	net_up 1
	flows udp "$CLIENT6" "$(servers6 1)" 1000
	established forward6 in:
}

netfilter() { # flowtable|conntrack
	net_up 1
	flows udp "$CLIENT4" "$VIP4" 1000
	nft -f - <<-NFT
	table ip nat {
		chain prerouting {
			type nat hook prerouting priority -100
			ip daddr $VIP4 udp dport $PORT dnat to $(servers4 1):$PORT
		}
	}
	NFT
	[ "$1" = conntrack ] || nft -f - <<-NFT
	table ip nat {
		flowtable fast {
			hook ingress priority 0
			devices = { in0, out0 }
		}
		chain forward {
			type filter hook forward priority 0
			ct state established flow add @fast
		}
	}
	NFT
	connect 1000
	play 1000 0 1 out:
	established "$1/nat/udp/established/in" in:
	established "$1/nat/udp/established/reply" out:
}

# Opens the first N flows and learns where they go.
connect() { # N [STEP...]
	local n=$1

	shift
	inject learn 1
	play "$n" 0 1 "${@:-in:}" || failed=1
	inject learn 0
}

# --- one balancer after the other: the same cases ------------------------------

# NAME: of cases that are measured by packets that were in a queue, too
queues() { [ "$1" = clb/nat/udp ] || [ "$1" = ipvs/nat/udp ]; }
replies() { [ "$1" = nat ] || [ "$1" = fnat ]; }	# come this way

# names_of SYSTEM MODE PROTOCOL SESSIONS...: what bench measures
names_of() {
	local name=$1/$2/$3 n

	for n in "${@:4}"; do
		echo "$name/established/in@$n"
		! replies "$2" || echo "$name/established/reply@$n"
		! queues "$name" || echo "$name/established/in+backlog@$n" \
			"$name/established/reply+backlog@$n"
	done
}

# System names may have a variant, as in clb+slow: what follows the "+".
sessions() { # SYSTEM MODE PROTOCOL CLIENT VIP N
	local name=$1/$2/$3 balancer=${1%%+*}

	net_up "${SERVERS:-4}"
	flows "${3%6}" "$4" "$5" "$6"
	load "$balancer"
	"${balancer}_service" "$2" "${3%6}" "$5" "${SERVERS:-4}"
	if [ "${3%6}" = udp ]; then
		connect "$6"
		# one answer for each, which is a change of state
		! replies "$2" || [ "$UNIT" = insn ] || play "$6" 0 1 out: ||
			failed=1
		"${balancer}_ready"
		holds "$balancer" "$6"
		established "$name/established/in@$6" in:
		! replies "$2" || established "$name/established/reply@$6" out:
		! queues "$name" || queued established \
			"$name/established/in+backlog@$6" in:
		! queues "$name" || queued established \
			"$name/established/reply+backlog@$6" out:
	else
		# shellcheck disable=SC2046
		connect "$6" in:S $(! replies "$2" || echo out:SA) in:A
		"${balancer}_ready"
		holds "$balancer" "$6"
		established "$name/established/in@$6" in:PA
		! replies "$2" || established "$name/established/reply@$6" out:PA
	fi
	holds "$balancer" "$6"
	unload "$balancer"
}

# First packets, of flows that were not there; the first 1000 warm up. Tables
# grow meanwhile, now more and now less: where that is counted, five times.
new() { # SYSTEM MODE PROTOCOL CLIENT VIP
	local balancer=${1%%+*} times=1 i

	[ "$UNIT" = ns ] || times=5
	net_up "${SERVERS:-4}"
	flows "${3%6}" "$4" "$5" $((PACKETS + 1000))
	for ((i = 0; i < times; i++)); do
		load "$balancer"
		"${balancer}_service" "$2" "${3%6}" "$5" "${SERVERS:-4}"
		play 1000 0 1 in: || failed=1
		measure "$1/$2/$3/new" "$PACKETS" 1000 1 in: ||
			left_out "$1/$2/$3/new"
		unload "$balancer"
	done
}

# Whole connections, one after the other; the result is that of all packets.
connections() { # SYSTEM MODE PROTOCOL CLIENT VIP
	local steps=$CONNECTION rounds=$((PACKETS / 4))

	replies "$2" || steps=$REQUESTS
	whole "$1/$2/$3/connection" "$1" "$2" "$4" "$5" "$rounds" "$steps"
}

# Their beginnings alone.
handshakes() { # SYSTEM MODE PROTOCOL CLIENT VIP
	local steps=$HANDSHAKE rounds=$((PACKETS / 4))

	replies "$2" || steps=$OPENING
	whole "$1/$2/$3/handshake" "$1" "$2" "$4" "$5" "$rounds" "$steps"
}

# Flows from their first packet on; the first 200 warm up.
whole() { # NAME SYSTEM MODE CLIENT VIP ROUNDS "STEP..."
	local balancer=${2%%+*}

	net_up "${SERVERS:-4}"
	flows tcp "$4" "$5" $(($6 + 200))
	load "$balancer"
	"${balancer}_service" "$3" tcp "$5" "${SERVERS:-4}"
	# shellcheck disable=SC2086 # steps are many
	{
		inject learn 1
		play 200 0 1 $7 || failed=1
		measure "$1" "$6" 200 1 $7 || left_out "$1"
		inject learn 0
	}
	unload "$balancer"
}

# A million handshakes take long where rounds are many.
tcp_too() { # SESSIONS
	[ "$1" = 1000 ] || [ "$UNIT" = insn ]
}

# the_cases SYSTEM MODE FAMILY SESSIONS...
the_cases() {
	local system=$1 mode=$2 suffix='' client="$CLIENT4" vip="$VIP4" n protocol

	if [ "$3" = 6 ]; then
		suffix=6 client=$CLIENT6 vip="$VIP6"
	fi
	for n in "${@:4}"; do
		for protocol in udp$suffix tcp$suffix; do
			[ "$protocol" != "tcp$suffix" ] ||
				tcp_too "$n" || continue
			group "$(names_of "$system" "$mode" "$protocol" "$n")" \
				sessions "$system" "$mode" "$protocol" \
				"$client" "$vip" "$n"
		done
	done
	[ "$4" = 1000 ] || return 0
	group "$system/$mode/udp$suffix/new" \
		new "$system" "$mode" udp$suffix "$client" "$vip"
	group "$system/$mode/tcp$suffix/handshake" \
		handshakes "$system" "$mode" tcp$suffix "$client" "$vip"
	group "$system/$mode/tcp$suffix/connection" \
		connections "$system" "$mode" tcp$suffix "$client" "$vip"
}

forwarding() { # NAME N
	net_up 1
	flows udp "$CLIENT4" "$(servers4 1)" "$2"
	established "$1@$2" in:
	queued established "$1+backlog@$2" in:
}

# --- memory, lists -------------------------------------------------------------

# All memory that the kernel has in use, but for caches of files.
memory() {
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^(MemFree|Buffers|Cached):/ { n -= $2 }
		/^MemTotal:/ { n += $2 }
		END { print n * 1024 }' /proc/meminfo
}

# Sets $shortest: nanoseconds of the guest's clock. Others can lengthen them; but not
# by much, where it is instructions of a million sessions.
listing() { # N
	local start took count i times=5

	shortest=
	[ "$UNIT" != insn ] || [ "$1" -le 100000 ] || times=1
	for ((i = 0; i < times; i++)); do
		start=$(date +%s%N)
		"$clbctl" session show >/dev/null
		took=$(($(date +%s%N) - start))
		[ "${shortest:-$((took + 1))}" -le "$took" ] || shortest=$took
	done
	count=$("$clbctl" session count)
	[ "$count" -ge "$1" ] || {
		say "failed: listing: $count sessions of $1"
		failed=1
	}
}

# A balancer's million sessions: bytes of each, hash table and all.
footprint() { # SYSTEM MODE N
	local before after small shortest

	net_up 4
	flows udp "$CLIENT4" "$VIP4" "$3"
	before=$(memory)
	load "$1"
	"$1_service" "$2" udp "$VIP4" 4
	play $(($3 / 10)) 0 1 in: || failed=1
	[ "$1" != clb ] || {
		"$1_ready"
		listing $(($3 / 10))
	}
	small=${shortest:-}
	play $(($3 - $3 / 10)) $(($3 / 10)) 1 in: || failed=1
	"$1_ready"
	holds "$1" "$3"
	after=$(memory)
	! [ "$UNIT" = insn ] ||
		echo "result $1/$2/udp/memory@$3 $(((after - before) / $3)) bytes"
	if [ "$1" = clb ]; then
		listing "$3"
		echo "result clb/list@$3 $((shortest / $3)) $UNIT"
		awk -v s="$small" -v l="$shortest" -v n="$3" 'BEGIN {
			printf "result clb/list@%d:%d %.3f ratio\n",
				n, n / 10, l / s / 10 }'
	fi
	unload "$1"
}

# --- the run ---------------------------------------------------------------------

# More of what an established session must not and a new one should not notice.
variant() { # NAME SERVERS LISTENER [MORE]
	export SERVERS=$2 LISTENER=$3 MORE=${4:-}
	local system=clb+$1

	group "$(names_of "$system" nat udp 1000)" \
		sessions "$system" nat udp "$CLIENT4" "$VIP4" 1000
	group "$system/nat/udp/new" new "$system" nat udp "$CLIENT4" "$VIP4"
	unset SERVERS LISTENER MORE
}

listeners() { # N: in other places than the one in use
	local i

	for ((i = 0; i < $1; i++)); do
		echo "listener add udp 203.0.113.$((2 + i / 250)):$((1000 + i % 250))"
	done
}

networks() { # N: that hold no client
	local i

	for ((i = 0; i < $1; i++)); do
		echo "acl add udp $VIP4:$PORT 10.$((i / 200)).$((i % 200)).0/24"
	done
}

variants() {
	local s

	# one client address: mh must look at ports
	for s in wrr "mh hash tuple"; do
		variant "${s%% *}" 4 "scheduler $s"
	done
	for s in rr wrr "mh hash tuple"; do
		variant "${s%% *}-1000-servers" 1000 "scheduler $s"
	done
	variant 10000-listeners 4 "scheduler rr" "listeners 10000"
	variant 300-acl-entries 4 "scheduler rr acl deny" "networks 300"
	variant rate 4 "scheduler rr rate 1000g"
}

# What else there is to compare with, and the other modes; with few sessions.
others() {
	local mode family families=4 n

	# as rounds are many, IPv6 of the slow path is counted only
	[ "$UNIT" = ns ] || families="4 6"
	group "limit/tc-redirect forward" limit
	group forward6 forwarding6
	for n in conntrack flowtable; do
		group "$n/nat/udp/established/in $n/nat/udp/established/reply" \
			netfilter "$n"
	done
	the_cases ipvs dr 4 1000
	the_cases ipvs tun 4 1000
	for mode in nat dr tun; do
		the_cases ipvs $mode 6 1000
	done
	for mode in fnat dr tun; do
		the_cases clb $mode 4 1000
	done
	for mode in nat fnat dr tun; do
		the_cases clb $mode 6 1000
	done
	export FAST_PATH=off
	for mode in nat fnat dr tun; do
		for family in $families; do
			the_cases clb+slow $mode "$family" 1000
		done
	done
	unset FAST_PATH
}

everything() {
	local mode

	the_cases ipvs nat 4 1000 50000 1000000
	the_cases clb nat 4 1000 50000 1000000
	others
	for mode in dr tun; do
		the_cases clb $mode 4 50000 1000000
	done
	# one local address has ports for as many clients of four servers
	the_cases clb fnat 4 50000 200000
	the_cases clb nat 6 50000 1000000
	variants
	group ipvs/nat/udp/memory@1000000 footprint ipvs nat 1000000
	group "clb/nat/udp/memory@1000000 clb/list@1000000" \
		footprint clb nat 1000000
}

# With as many sessions as a real balancer holds, at native speed. One system
# follows the other in each round, so that what the machine does besides hits
# all of them.
native() {
	local name round

	touch "$TMP"/{left-out,measured}
	for ((round = 0; round < ROUNDS; round++)); do
		echo "round $round"
		native_round
	done
	for ((round = 0; round < ROUNDS; round++)); do
		group clb/list@1000000 footprint clb nat 1000000
	done
	for ((round = ROUNDS; round < ROUNDS + MORE_ROUNDS; round++)); do
		CASES=$(unmeasured)
		[ -n "$CASES" ] || return
		CASES+=" $(peers "$CASES")"
		echo "round $round"
		native_round
	done
	for name in $(unmeasured); do
		say "failed: $name: the processor was slow in each round"
		failed=1
	done
}

native_round() {
	local n

	rm -rf "$TMP/floors"
	for n in ${SESSIONS:-1000}; do
		group "forward@$n forward+backlog@$n" forwarding forward "$n"
		the_cases ipvs nat 4 "$n"
		the_cases clb nat 4 "$n"
	done
	others
}

# What the results of these are held against, in the same round.
peers() { # "NAMES"
	local name

	for name in $1; do
		echo "${name/#clb/ipvs} ${name/#ipvs/clb} ${name%@*}@1000"
	done
	echo "forward* flowtable/*"
}

# Cases that have no result in any of the rounds, for the processor was slow.
unmeasured() { sort -u "$TMP/left-out" | grep -vxFf "$TMP/measured"; }

if [ $# -gt 0 ]; then
	"$@"		# by apart
	exit "$failed"
fi
inject_load
if [ "$UNIT" = insn ]; then
	modprobe -a nft_fwd_netdev ipip ip6_tunnel
	everything
else
	native
fi
exit "$failed"
