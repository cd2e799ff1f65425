#!/bin/bash
# SPDX-License-Identifier: MIT
# The fast path: established sessions take it, in every mode; whatever is
# unusual does not, and arrives all the same; changes of route, neighbour,
# MTU, server and settings take effect with the next packet. Packets that are
# looked at one by one are in fast.py. Topology: lib.sh.
. "$(dirname "$0")/lib.sh"

topo_up 2 || exit 1
topo_tunnels || exit 1

# Packet by packet; meanwhile the kernels of both sides say nothing.
if part leaves || part moves; then
	topo_mute c1 c2 s1 s2
	relay "$SELFTESTS/fast.py" "$NS"
	for ns in c1 c2 s1 s2; do
		in_ns "$ns" nft delete table inet mute
	done
fi

part nat || part fnat || part dr || part tun || part changes || done_testing
start_server 1 && start_udp 1 && start_udp 2 || exit 1
dialogue udp in_client "$SELFTESTS/udp.py" client
make_file big 512
make_file small 1

fast() { clb_get .fast_packets stats; }

# A listener for UDP and one for TCP, with server 1 alone.
listeners() { # MODE
	local vip port

	clb flush || return
	if [ "$1" = fnat ]; then
		clb local add "$NODE_BACK4" && clb local add "$NODE_BACK6" ||
			return
	fi
	for vip in "$VIP4" "[$VIP6]"; do
		clb listener add udp "$vip:$UDP_PORT" mode "$1" &&
			clb listener add tcp "$vip:80" mode "$1" || return
		for port in "udp $UDP_PORT" "tcp 80"; do
			clb server add "${port% *}" "$vip:${port#* }" \
				"$(server_host "$vip" 1):${port#* }" || return
		done
	done
}

server_host() { # VIP NUMBER
	case $1 in
	\[*) echo "[$(server6 "$2")]" ;;
	*) server4 "$2" ;;
	esac
}

ask_udp() { # VIP TEXT COUNT SOURCE_PORT [OPTION VALUE]
	local answers

	answers=$(tell udp ask "$1" "$UDP_PORT" "${@:2}")
	echo "$answers"
	[[ $answers != error* ]]
}
exchange() { # VIP COUNT [SOURCE_PORT]
	ask_udp "$1" x "$2" "${3:-0}"
}

# lost SOURCE_PORT[,OPTION,VALUE] COUNTER...: a datagram has no answer, and
# COUNTER, a command, counts it where it is dropped: then there will be none.
lost() {
	local before rc=0

	before=$("${@:2}") || return
	# shellcheck disable=SC2086 # words are meant to split
	[ "$(tell udp send "$VIP4" "$UDP_PORT" x 1 ${1//,/ })" = sent ] || return
	wait_for 5 counted_or_answered "$before" "${@:2}" || rc=$?
	[ "$(tell udp close)" = nothing ] && return "$rc"
}
counted_or_answered() { # BEFORE COUNTER...
	[ "$("${@:2}")" -gt "$1" ] || [ "$(tell udp heard)" != nothing ]
}

# Packets by the fast path while COMMAND runs; its output is thrown away.
fast_during() {
	local before

	before=$(fast)
	"$@" >/dev/null || return
	echo $(($(fast) - before))
}

# at_least N COMMAND...: that many packets took the fast path.
at_least() {
	local n=$1 got

	shift
	got=$(fast_during "$@") && echo "fast: $got" && [ "$got" -ge "$n" ]
}

metered() {
	clb_get "map(.in_packets + .out_packets) | add" listener show
}
# all COMMAND...: every packet took it; none is larger than a segment.
all() {
	local before fast_before

	before=$(metered) fast_before=$(fast)
	"$@" >/dev/null || return
	# the last ACK may be on its way still; one that went slowly stays so
	wait_for 5 all_fast "$fast_before" "$before"
}
all_fast() { # FAST METERED: before
	local got metered

	got=$(($(fast) - $1)) metered=$(($(metered) - $2))
	echo "fast: $got of $metered"
	[ "$got" -gt 0 ] && [ "$got" -eq "$metered" ]
}

# none COMMAND...: no packet took it.
none() {
	local got

	got=$(fast_during "$@") && echo "fast: $got" && [ "$got" -eq 0 ]
}

# The client's last ACK is sent when the server has closed, too.
download() { # VIP [FILE]
	local file=files/${2:-big}

	in_client curl -sSf -m 30 -o "$TMP/got" "$(url "$1" 80 "$file")" &&
		cmp "$TMP/got" "$TMP/$file" && wait_for 5 is_over
}

for mode in nat fnat dr tun; do
	part "$mode" || continue
	ok "$mode: listeners" listeners "$mode"
	for vip in "$VIP4" "$VIP6"; do
		case $mode in
		nat|fnat) both=2 ;;
		*) both=1 ;;
		esac
		ok "$mode $vip: first exchange" exchange "$vip" 1 4000
		ok "$mode $vip: UDP, every packet" \
			at_least $((5 * both)) exchange "$vip" 5 4000
		ok "$mode $vip: TCP" at_least 5 download "$vip"
		ok "$mode $vip: UDP flows from their first packet on" \
			all exchange "$vip" 5
		ok "$mode $vip: a TCP connection from SYN to FIN" \
			all download "$vip" small
	done
done

part changes || done_testing
ok "listeners" listeners nat
ok "session" exchange "$VIP4" 2 4001

# --- devices ---------------------------------------------------------------------

no_route=$(stat_of drop_no_route)
ip -n "$NS-node" link set back down
ok "device down" lost 4001 stat_of drop_no_route
is "its packet is counted" "$(($(stat_of drop_no_route) - no_route))" 1
ip -n "$NS-node" link set back up
ip -n "$NS-node" -6 addr add "$NODE_BACK6/64" dev back nodad 2>/dev/null
ok "device up again" wait_for 10 exchange "$VIP4" 1 4001

# IPv6 is off at the device by which the client's packets come.
ipv6_off() {
	local before dropped rc=0

	exchange "$VIP6" 1 4007 || return
	before=$(fast)
	in_node sysctl -qw net.ipv6.conf.front.disable_ipv6=1
	dropped=$(discarded)
	[ "$(tell udp send "$VIP6" "$UDP_PORT" x 1 4007)" = sent ] || return
	wait_for 5 counted_or_answered "$dropped" discarded || rc=$?
	[ "$(tell udp close)" = nothing ] && [ "$(fast)" = "$before" ] &&
		return "$rc"
}
# shellcheck disable=SC2016 # for awk
discarded() { in_node awk '$1 == "Ip6InDiscards" { print $2 }' /proc/net/snmp6; }
ok "IPv6 off at a device" ipv6_off
in_node sysctl -qw net.ipv6.conf.front.disable_ipv6=0
ip -n "$NS-node" -6 addr add "$NODE_FRONT6/64" dev front nodad 2>/dev/null
ok "IPv6 on again" wait_for 10 exchange "$VIP6" 1 4007

# --- who else is in PRE_ROUTING --------------------------------------------------

# A chain in raw that lets everything pass, and counts what it saw.
in_node nft -f - <<NFT
table ip raw {
	chain prerouting {
		type filter hook prerouting priority raw
		udp dport $UDP_PORT counter
	}
}
NFT
seen() { # what the counter of a rule says
	in_node nft -j list ruleset |
		jq '.nftables[].rule.expr[]?.counter.packets // empty'
}
first_is_slow() { # the reply and all that follows are fast
	local got before

	before=$(seen)
	got=$(fast_during exchange "$VIP4" 3 4003) && echo "fast: $got" &&
		[ "$got" -eq 5 ] && [ $(($(seen) - before)) -eq 1 ]
}
ok "the raw table sees a flow's first packet, and no other" first_is_slow
in_node nft flush ruleset
ok "without it the first packet is fast as well" all exchange "$VIP4" 3 4004

# Connection tracking has its defragmentation before us.
in_node nft -f - <<NFT
table ip filter {
	chain prerouting {
		type filter hook prerouting priority filter
		ct state invalid counter
	}
}
NFT
tracked_first() {
	local got

	got=$(fast_during exchange "$VIP4" 2 4005) && echo "fast: $got" &&
		[ "$got" -eq 3 ]
}
ok "with connection tracking the first packet is slow" tracked_first
in_node nft flush ruleset

# A chain at the ingress hook sees everything, and comes first.
ingress_drop() {
	in_node nft -f - <<-NFT
	table netdev filter {
		chain ingress {
			type filter hook ingress device front priority filter
			udp sport 4003 counter drop
		}
	}
	NFT
}
ok "a chain at ingress" ingress_drop
ok "refuses packets of a session" lost 4003 seen
ok "and no others" all exchange "$VIP4" 1 4004
in_node nft flush ruleset

# --- the firewall in raw/prerouting governs new sessions -------------------------

in_node nft -f - <<NFT
table ip raw {
	chain prerouting {
		type filter hook prerouting priority raw
		udp dport $UDP_PORT counter drop
	}
}
NFT
ok "a new session is refused in raw/prerouting" lost 4002 seen
is "and does not exist" "$(clb session count client "$(client4 1):4002")" 0
in_node nft flush ruleset

# What a rule queues for a program comes back in the program's context, in which
# softirqs go on: the debug kernel tells whether locks are taken for that.
queued() {
	local n

	in_node nft -f - <<-NFT
	table inet raw {
		chain prerouting {
			type filter hook prerouting priority raw
			udp dport $UDP_PORT queue num 1
		}
	}
	NFT
	for n in 1 2 3 4; do
		exchange "$VIP4" 3 $((4010 + n)) &&
			exchange "$VIP6" 3 $((4010 + n)) || return
	done
}
modprobe nfnetlink_queue 2>/dev/null
dialogue queue in_node "$SELFTESTS/nfqueue.py" 1
tell queue count >"$TMP/count"
ok "a program gets packets from raw/prerouting" queued
is "each new session's first, and no other" "$(tell queue count)" 8
in_node nft flush ruleset

# --- devices above the one a frame comes by --------------------------------------

# What is above is where a packet comes in: rules there govern it, whichever
# path it takes.
above() { # DEVICE
	ok "$1: packets that come by it are fast" \
		at_least 3 exchange "$VIP4" 3 4006
	in_node nft -f - <<-NFT
	table netdev filter {
		chain ingress {
			type filter hook ingress device $1 priority filter
			udp sport 4006 counter drop
		}
	}
	NFT
	ok "$1: a chain at ingress governs them" lost 4006 seen
	in_node nft flush ruleset
}

tagged() {
	ip -n "$NS-node" -batch - <<-IP &&
	link add link front name tagged type vlan id 7
	link set tagged up
	addr add 10.7.0.1/24 dev tagged
	IP
	ip -n "$NS-c1" -batch - <<-IP
	link add link eth0 name tagged type vlan id 7
	link set tagged up
	addr add 10.7.0.2/24 dev tagged
	route add $VIP4 via 10.7.0.1
	IP
}
ok "a VLAN" tagged
ok "a session through the VLAN" exchange "$VIP4" 1 4006
above tagged
ip -n "$NS-c1" link del tagged
ip -n "$NS-node" link del tagged

bridged() {
	ip -n "$NS-node" -batch - <<-IP
	addr flush dev front
	link add br0 type bridge mcast_snooping 0
	link set front master br0
	link set br0 up
	addr add $NODE_FRONT4/24 dev br0
	IP
}
ok "a bridge" bridged
ok "a session through the bridge" wait_for 10 exchange "$VIP4" 1 4006
above br0

done_testing
