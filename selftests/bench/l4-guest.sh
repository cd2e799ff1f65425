#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs in the guest of l4.sh. pktgen puts UDP packets of 60 bytes straight
# into the receive path of a device, as a driver does; they leave by the other
# one. Both devices are dummies.
#
#	clients 192.0.2.10 -- in0 [this kernel] out0 -- 198.51.100.2... servers
#
# Prints "result NAME VALUE UNIT" for each case, with the share of packets that
# came through: a case in which packets were lost measures something else and
# fails.
set -u
here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/../..")
# shellcheck source=selftests/module.sh
. "$here/../module.sh"
clbctl=$top/build/tools/clbctl

readonly COUNT=${COUNT:-50000}	# packets of a case
readonly VIP4=203.0.113.1 VIP6=2001:db8:f::1
readonly CLIENT4=192.0.2.10 CLIENT6=2001:db8:c::10
readonly PORT=80
floor=0 failed=0

server4() { echo "198.51.100.$((1 + $1))"; }
server6() { echo "2001:db8:5::$((1 + $1))"; }
mac() { printf '02:00:00:00:00:%02x' "$1"; }

setup() {
	local i dev

	modprobe -a pktgen dummy nft_fwd_netdev ip_vs_rr ipip ip6_tunnel
	ip link set lo up
	sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv4.conf.{all,default}.rp_filter=0
	for dev in in0 out0; do
		ip link add "$dev" type dummy
		ip link set "$dev" up
	done
	ip addr add 192.0.2.1/24 dev in0
	ip addr add 198.51.100.1/24 dev out0
	ip addr add 2001:db8:c::1/64 dev in0 nodad
	ip addr add 2001:db8:5::1/64 dev out0 nodad
	for i in 1 2 3 4; do
		ip neigh add "$(server4 $i)" lladdr "$(mac $i)" dev out0 \
			nud permanent
		ip neigh add "$(server6 $i)" lladdr "$(mac $i)" dev out0 \
			nud permanent
	done
	ip neigh add $CLIENT4 lladdr "$(mac 10)" dev in0 nud permanent
	ip neigh add $CLIENT6 lladdr "$(mac 10)" dev in0 nud permanent
}

# --- measuring ---------------------------------------------------------------

pg() { echo "$2" >"/proc/net/pktgen/$1"; }

# flow DEVICE SOURCE DESTINATION SPORT_MIN SPORT_MAX DPORT_MIN DPORT_MAX
flow() {
	local family='' s

	flow_dev=$1
	[ "${2#*:}" = "$2" ] || family=6
	pg kpktgend_0 rem_device_all
	pg kpktgend_0 "add_device $1"
	for s in "xmit_mode netif_receive" "pkt_size 60" "delay 0" \
		"clone_skb 0" "burst 1" "count $COUNT" \
		"dst_mac $(cat "/sys/class/net/$1/address")" \
		"udp_src_min $4" "udp_src_max $5" \
		"udp_dst_min $6" "udp_dst_max $7"; do
		pg "$1" "$s"
	done
	if [ -n "$family" ]; then
		pg "$1" "pkt_size 80"
		pg "$1" "src6_min $2"
		pg "$1" "src6_max $2"
		pg "$1" "dst6 $3"
	else
		pg "$1" "src_min $2"
		pg "$1" "src_max $2"
		pg "$1" "dst_min $3"
		pg "$1" "dst_max $3"
	fi
}

sent() { cat "/sys/class/net/$1/statistics/tx_packets"; }

# Sends the flow once; $insn: instructions per packet, $through: packets that
# left by DEVICE.
send() { # DEVICE [COUNT]
	local n=${2:-$COUNT} before ns

	pg "$flow_dev" "count $n"
	before=$(sent "$1")
	pg pgctrl start
	through=$(($(sent "$1") - before))
	ns=$(sed -n 's/^Result: OK: \([0-9]*\)(.*/\1/p' \
		"/proc/net/pktgen/$flow_dev")
	insn=$((ns * 1000 / n))
}

# measure NAME DEVICE [COUNT]: of the flow that is set.
measure() {
	local n=${3:-$COUNT}

	send "$2" "$n"
	if [ "$through" -ne "$n" ]; then
		echo "failed $1: $through of $n packets came through"
		failed=1
		return
	fi
	echo "result $1 $((insn - floor)) insn"
}

measure_floor() {
	flow in0 $CLIENT4 "$(server4 1)" 1000 1999 $PORT $PORT
	nft add table netdev floor
	nft 'add chain netdev floor in { type filter hook ingress device in0 priority 0; policy drop; }'
	send in0
	floor=$insn
	nft delete table netdev floor
	echo "# floor $floor"
}

wanted() { [ -z "${CASES:-}" ] || [[ " $CASES " == *" $1 "* ]]; }

# --- what one would use instead ------------------------------------------------

bench_limit() {
	flow in0 $CLIENT4 "$(server4 1)" 1000 1999 $PORT $PORT
	tc qdisc add dev in0 clsact
	tc filter add dev in0 ingress matchall \
		action mirred egress redirect dev out0
	measure limit/tc-redirect out0
	tc qdisc del dev in0 clsact
	measure forward out0
}

in_flow() { flow in0 $CLIENT4 $VIP4 "$1" "$2" $PORT $PORT; }
reply_flow() { # a server's answer, source ports of the clients as above
	flow out0 "$(server4 1)" $CLIENT4 $PORT $PORT "$1" "$2"
}

bench_netfilter() {
	nft -f - <<-NFT
	table ip nat {
		chain prerouting {
			type nat hook prerouting priority -100
			ip daddr $VIP4 udp dport $PORT dnat to $(server4 1):$PORT
		}
	}
	NFT
	in_flow 1000 1999
	send out0	# makes the connections
	measure conntrack/nat/udp/established/in out0
	reply_flow 1000 1999
	measure conntrack/nat/udp/established/reply in0
	nft -f - <<-NFT
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
	in_flow 1000 1999
	send out0
	reply_flow 1000 1999
	send in0
	in_flow 1000 1999
	measure flowtable/nat/udp/established/in out0
	reply_flow 1000 1999
	measure flowtable/nat/udp/established/reply in0
	nft flush ruleset
}

# The module is loaded anew for each mode: its connections outlive services.
bench_ipvs() { # MODE FLAG
	local i

	ipvsadm -C
	rmmod ip_vs_rr ip_vs
	modprobe ip_vs conn_tab_bits=20
	modprobe ip_vs_rr
	ip addr add $VIP4/32 dev lo
	ipvsadm -A -u $VIP4:$PORT -s rr
	for i in 1 2 3 4; do
		ipvsadm -a -u $VIP4:$PORT -r "$(server4 "$i"):$PORT" "$2"
	done
	in_flow 1000 1999
	send out0
	measure "ipvs/$1/udp/established/in" out0
	if [ "$1" = nat ]; then
		# rr gave each server every fourth client port
		reply_flow 1000 1999
		send in0
		echo "result ipvs/nat/udp/established/reply $((insn - floor)) insn"
	fi
	in_flow 2000 51999
	measure "ipvs/$1/udp/new" out0 50000
	ipvsadm -C
	ip addr del $VIP4/32 dev lo
}

# --- clb -------------------------------------------------------------------------

clb() { "$clbctl" "$@" || failed=1; }

clb_listener() { # MODE VIP SERVERS...
	local mode=$1 vip=$2 s

	shift 2
	clb flush
	[ "$mode" != fnat ] || clb local add 198.51.100.1
	clb listener add udp "$vip:$PORT" mode "$mode" scheduler rr
	for s in "$@"; do
		clb server add udp "$vip:$PORT" "$s:$PORT"
	done
}

clb_sessions_gone() { clb session del; }

# clb_mode MODE SUFFIX: 1000 sessions, then new ones.
bench_clb_mode() {
	local mode=$1 suffix=$2 s4

	s4=$(server4 1)
	# one server: a reply flow that pktgen can send reaches every session
	clb_listener "$mode" $VIP4 "$s4"
	in_flow 1000 1999
	send out0
	measure "clb/$mode/udp/established/in$suffix" out0
	if [ "$mode" = nat ]; then
		reply_flow 1000 1999
		send in0
		measure "clb/nat/udp/established/reply$suffix" in0
	fi
	if [ "$mode" = fnat ]; then
		local first
		first=$("$clbctl" -j session show | jq 'map(.local_port) | min')
		flow out0 "$s4" 198.51.100.1 $PORT $PORT "$first" \
			$((first + 999))
		send in0
		measure "clb/fnat/udp/established/reply$suffix" in0
	fi
	clb_sessions_gone
	clb_listener "$mode" $VIP4 "$s4" "$(server4 2)" "$(server4 3)" \
		"$(server4 4)"
	in_flow 2000 51999
	measure "clb/$mode/udp/new$suffix" out0 50000
	clb_sessions_gone
}

bench_clb_mode6() {
	local mode=$1

	clb_listener "$mode" "[$VIP6]" "[$(server6 1)]"
	flow in0 $CLIENT6 $VIP6 1000 1999 $PORT $PORT
	send out0
	measure "clb/$mode/udp6/established/in" out0
	clb_sessions_gone
}

bench_clb() {
	local mode

	clb_module_load || exit 1
	for mode in nat fnat dr tun; do
		bench_clb_mode "$mode" ""
	done
	for mode in nat dr tun; do
		bench_clb_mode6 "$mode"
	done
	clb settings set fast-path off
	for mode in nat fnat dr tun; do
		bench_clb_mode "$mode" "/slow"
	done
	clb_module_unload
}

setup
measure_floor
! wanted limit || bench_limit
! wanted netfilter || bench_netfilter
if wanted ipvs; then
	bench_ipvs nat -m
	bench_ipvs dr -g
	bench_ipvs tun -i
fi
! wanted clb || bench_clb
exit "$failed"
