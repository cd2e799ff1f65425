# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the benchmarks of layer 4 share. Sourced by l4-guest.sh, which runs in a
# virtual machine that counts instructions or in User-Mode Linux.
#
#	198.19.0.1...                                       198.18.1.1...
#	clients -- gateway -- in0 [this namespace] out0 --------- servers
#	2001:db8:cc::1...    VIP 203.0.113.1                2001:db8:5::1...
#	                         2001:db8:f::1
#
# in0 and out0 are devices of inject.ko, which plays clients and servers. Each
# group of cases has a network namespace of its own, so that none finds what
# another has left.
# shellcheck disable=SC2034 # variables are for those who source this
set -uf		# patterns of CASES are not names of files
BENCH=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=selftests/module.sh
. "$BENCH/../module.sh"
clbctl=$BENCH/../../build/tools/clbctl

readonly UNIT=${UNIT:-insn}	# what a nanosecond is
readonly PACKETS=${PACKETS:-20000}	# of a case
readonly SLICE=100	# rounds whose time is taken together, where it is time
readonly PATIENCE=30	# seconds until there is a run of QUIET slices
readonly QUIET=100	# slices at the processor's full speed that make a result
readonly BACKLOG=50	# packets that wait for the processor, where they do
readonly PORT=80
readonly VIP4=203.0.113.1 VIP6=2001:db8:f::1
readonly CLIENT4=198.19.0.1 CLIENT6=2001:db8:cc::1
readonly HANDSHAKE="in:S out:SA in:A"
readonly OPENING="in:S in:A"	# replies bypass the node
readonly CONNECTION="$HANDSHAKE in:PA out:A out:PA in:A in:FA out:FA in:A"
readonly REQUESTS="$OPENING in:PA in:A in:FA in:A"
: "${INJECT_KO:=$BENCH/inject/inject.ko}"
: "${TMP:=$(mktemp -d)}"
export TMP
failed=0
queued=

# The addresses of N servers, one a line: a thousand calls would take long.
servers4() {
	awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++)
		printf "198.18.%d.%d\n", 1 + i / 250, 1 + i % 250 }'
}
servers6() {
	awk -v n="$1" 'BEGIN { for (i = 1; i <= n; i++)
		printf "2001:db8:5::%x\n", i }'
}
say() { echo "# $*"; }
# The same language; no other is installed.
jq() { gojq "$@"; }

# --- the network -------------------------------------------------------------

neighbours() { # N
	{
		echo 192.0.2.254 in0
		echo 2001:db8:c::fe in0
		servers4 "$1"
		servers6 "$1"
	} | awk '{ printf "neigh add %s lladdr 02:00:00:00:%02x:%02x dev %s " \
		"nud permanent\n", $1, NR / 256, NR % 256, $2 ? $2 : "out0" }'
}

net_up() { # SERVERS
	sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv4.conf.{all,default}.rp_filter=0 \
		net.ipv6.conf.default.{accept_dad=0,router_solicitations=0}
	ip -batch - <<-IP
	link set lo up
	link add in0 type inject
	link add out0 type inject
	link set in0 addrgenmode none
	link set out0 addrgenmode none
	link set in0 up
	link set out0 up
	addr add 192.0.2.1/24 dev in0
	addr add 198.18.0.1/16 dev out0
	addr add 2001:db8:c::1/64 dev in0 nodad
	addr add 2001:db8:5:0:ffff::1/64 dev out0 nodad
	route add 198.19.0.0/16 via 192.0.2.254 dev in0
	route add 2001:db8:cc::/64 via 2001:db8:c::fe dev in0
	$(neighbours "$1")
	IP
}

# --- groups of cases -----------------------------------------------------------

# CASES: names or patterns of names; default: all.
wanted() { # NAME
	local pattern

	for pattern in ${CASES:-*}; do
		# shellcheck disable=SC2053 # it is a pattern
		[[ $1 != $pattern ]] || return 0
	done
	return 1
}

any_wanted() { # NAME...
	local name

	for name in "$@"; do
		! wanted "$name" || return 0
	done
	return 1
}

namespaces_gone() { sed 's/.* gone \([0-9]*\) .*/\1/' /proc/inject; }

wait_namespace_gone() { # HOW-MANY: one more than these
	until [ "$(namespaces_gone)" -gt "$1" ]; do
		sleep 0.02
	done
}

# apart COMMAND...: this script with COMMAND, in a namespace of its own. A
# namespace goes in its own time: waits until it has begun to.
apart() {
	local gone rc=0

	gone=$(namespaces_gone)
	unshare -n "$0" "$@" || rc=$?
	wait_namespace_gone "$gone"
	return "$rc"
}

# What is the processor's full speed is found out once.
inject_load() {
	insmod "$INJECT_KO" ${pulse:+"pulse=$pulse"} || exit 1
	[ "$UNIT" != insn ] || return 0
	inject slices "$SLICE"
	[ -n "${pulse:-}" ] || {
		pulse=$(cat /sys/module/inject/parameters/pulse)
		say "pulse at full speed: $pulse ns"
	}
}

# group "NAMES" COMMAND...: COMMAND measures NAMES. A module with something in
# each namespace is unloaded only when no namespace is on its way out.
group() {
	local names=$1

	shift
	# shellcheck disable=SC2086 # names are many
	any_wanted $names || return 0
	apart "$@" || failed=1
	rmmod inject
	inject_load
}

# --- measuring -----------------------------------------------------------------

inject() { echo "$*" >/proc/inject; }

# play ROUNDS FIRST STRIDE STEP...: sets $insn, per round, and checks that all
# packets came through. The name is that of the unit in which QEMU's clock
# counts; under User-Mode Linux it is nanoseconds, those of the $slices in which
# the processor was at its full speed. Sets $through, the packets that did.
play() {
	local rounds=$1 steps=${*:4} in out packets ns got_in got_out

	insn='' through=''
	inject run "$@" || return
	read -r _ packets _ ns _ got_in _ got_out _ _ _ slices _ </proc/inject
	in=${steps//[^i]} out=${steps//[^o]}	# i and o: nowhere else
	in=$((${#in} * rounds)) out=$((${#out} * rounds))
	insn=$((ns / rounds)) through=$((got_in + got_out))
	[ "$got_out" -eq "$in" ] && [ "$got_in" -eq "$out" ] && return
	say "$packets packets, in and out: came through $got_in and $got_out," \
		"not $out and $in"
	return 1
}

# queued COMMAND...: COMMAND, its packets through the processor's queue.
queued() {
	local rc=0

	queued=' queued'
	inject backlog "$BACKLOG"
	"$@" || rc=$?
	inject backlog 0
	queued=
	return "$rc"
}

# Steps through all flows, each far from the one before it.
stride() { [ "$1" -le 7919 ] && echo 1 || echo 7919; }

programs() { # PROTOCOL: all that a case may play
	if [ "$1" = udp ]; then
		printf '%s\n' in: out:
	else
		printf '%s\n' in:PA out:PA "$HANDSHAKE" "$OPENING" \
			"$CONNECTION" "$REQUESTS"
	fi
}

# What every case needs and no balancer can save: packets are made, received
# and dropped at ingress, by a chain without rules. Run by apart; prints one line for
# each program, "NUMBER STEP...", and what goes to the output of all: results,
# for a floor says what a case was more than.
floor_measure() { # PROTOCOL CLIENT VIP FLOWS
	local steps step protocol

	net_up 1
	nft -f - <<-NFT || exit
	table netdev floor {
		chain in {
			type filter hook ingress device in0 priority 0; policy drop;
		}
		chain out {
			type filter hook ingress device out0 priority 0; policy drop;
		}
	}
	NFT
	inject flows "$1" in0 out0 "$2" "$3" "$PORT" "$4"
	step=$(stride "$4")
	protocol=$1$([[ $3 != *:* ]] || echo 6)
	programs "$1" | while read -r steps; do
		floor_of "$protocol" "$step" "$4" "$steps"
		[[ $steps == *' '* ]] ||
			queued floor_of "$protocol" "$step" "$4" "$steps"
	done || failed=1
}

floor_of() { # PROTOCOL STRIDE FLOWS "STEP..."
	local end name

	name=floor/$1/$(phase_of "$4")${queued:++backlog}@$3
	# shellcheck disable=SC2086 # steps are many
	{
		play 1000 0 "$2" $4
		end=$((SECONDS + PATIENCE))
		profile_on "$name"
		while play "$PACKETS" 0 "$2" $4
			slow && [ "$SECONDS" -lt "$end" ]; do
			:
		done
	} >/dev/null
	profile_off "$name"
	[ "$through" = 0 ] || {
		say "failed: $name: $through packets were not dropped"
		exit 1
	}
	slow || echo "$insn $4$queued"
	slow || echo "result $name $insn $UNIT"
}

phase_of() { # "STEP..."
	case $1 in
	"$HANDSHAKE")	echo handshake ;;
	"$OPENING")	echo handshake/in ;;
	in:*' '*out:*)	echo connection ;;
	in:*' '*)	echo connection/in ;;
	in:*)		echo established/in ;;
	out:*)		echo established/reply ;;
	esac
}

# flows PROTOCOL CLIENT VIP N: sets what measure sends, and the floors.
flows() {
	local like=$4

	# the number of instructions does not depend on that of flows
	[ "$UNIT" != insn ] || like=1000
	mkdir -p "$TMP/floors"
	floors=$TMP/floors/$1-${3//:/_}-$like
	[ -s "$floors" ] || {
		apart floor_measure "${@:1:3}" "$like" >"$floors" || failed=1
		grep -v '^[0-9]' "$floors"
	}
	nr_flows=$4
	inject flows "$1" in0 out0 "$2" "$3" "$PORT" "$4"
}

# The last run says nothing: others had the processor, or half of its core.
slow() { [ "$UNIT" = ns ] && [ "$slices" -lt "$QUIET" ]; }

# measure NAME ROUNDS FIRST STRIDE STEP...: the result is that of a round. Fails
# if there is none because the processor was slow.
measure() {
	local name=$1 floor before

	shift
	floor=$(awk -v steps="${*:4}$queued" '$1 { n = $1; sub(/^[0-9]* /, "")
		if ($0 == steps) print n }' "$floors")
	wanted "$name" || return 0
	before=$(fast_packets "$name")
	profile_on "$name"
	if ! play "$@"; then
		say "failed: $name"
		failed=1
	elif ! took_its_path "$name" "$before"; then
		failed=1
	elif slow || { [ "$UNIT" = ns ] && [ -z "$floor" ]; }; then
		profile_off "$name"
		return 1
	elif [ "$insn" -le "${floor:-$insn}" ]; then
		say "failed: $name: not above its floor ($insn, $floor)"
		failed=1
	else
		echo "result $name $((insn - floor)) $UNIT"
		echo "$name" >>"$TMP/measured"
	fi
	profile_off "$name"
}

# Packets that took clb's fast path, in a case of clb.
fast_packets() { # NAME
	[[ $1 != clb* ]] || "$clbctl" -j stats | jq .fast_packets
}

# Those of the last run did, and with the fast path off none.
took_its_path() { # NAME BEFORE
	local fast want=$through

	[[ $1 == clb* ]] || return 0
	fast=$(($(fast_packets "$1") - $2))
	[[ $1 != clb+slow/* ]] || want=0
	[ "$fast" -eq "$want" ] || {
		say "failed: $1: $fast packets took the fast path, not $want"
		return 1
	}
}

# Until two runs in a row take the same, but for 2 in 100: routes are cached.
settle() { # ROUNDS FIRST STRIDE STEP...
	local before=0 end

	end=$((SECONDS + PATIENCE))
	while [ "$SECONDS" -le "$end" ]; do
		play "$@" || return
		! slow || continue
		[ $((insn * 50)) -gt $((before * 51)) ] ||
			[ $((before * 50)) -gt $((insn * 51)) ] || return 0
		before=$insn
	done
	[ "$UNIT" != insn ]	# a clock may tremble
}

# Established flows, each in its turn. Where it is time and there are more flows
# than packets, those measured are not those that settling has brought into the
# cache.
established() { # NAME STEP
	local stride first=0 end

	wanted "$1" || return 0
	stride=$(stride "$nr_flows")
	if ! settle "$PACKETS" 0 "$stride" "$2"; then
		say "failed: $1: does not settle"
		failed=1
	fi
	end=$((SECONDS + PATIENCE))
	while [ "$SECONDS" -le "$end" ]; do
		[ "$UNIT" = insn ] ||
			first=$(((first + PACKETS * stride) % nr_flows))
		measure "$1" "$PACKETS" "$first" "$stride" "$2" && return
	done
	left_out "$1"
}

# What can be measured once only may have to wait for another round.
left_out() { # NAME
	say "left out: $1: the processor was slow"
	echo "$1" >>"$TMP/left-out"
}

# --- profile -----------------------------------------------------------------

# PROFILE: the name whose run is told to profile-plugin.c.
profile_on() {
	[ "$1" != "${PROFILE:-}" ] || inject profile 1
}

profile_off() {
	[ "$1" = "${PROFILE:-}" ] || return 0
	inject profile 0
	cat /proc/kallsyms >/run/clb/kallsyms
	echo "profiled $1 $PACKETS"
}
