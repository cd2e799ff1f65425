#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: throughput.sh
# What TCP gets through clb and through IPVS, as a share of what it gets through
# plain forwarding, with GRO and GSO on: one stream and 100, one after the
# other and medians of several rounds. Runs in the guest of l4-native.sh.
#
#	client -- veth -- node -- veth -- server, each a namespace
#
# environment: ROUNDS=5 SECONDS_EACH=2
set -u
here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/module.sh
. "$here/../module.sh"
clbctl=$here/../../build/tools/clbctl
VIP=203.0.113.1 SERVER=198.18.0.2 PORT=5201
failed=0

in_node() { ip netns exec node "$@"; }

network() {
	local ns

	for ns in client node server; do
		ip netns add $ns
		ip -n $ns link set lo up
	done
	in_node sysctl -qw net.ipv4.ip_forward=1
	ip -n node link add in0 type veth peer name eth0 netns client
	ip -n node link add out0 type veth peer name eth0 netns server
	address client eth0 192.0.2.2/24
	address node in0 192.0.2.1/24
	address node out0 198.18.0.1/24
	address server eth0 $SERVER/24
	ip -n client route add default via 192.0.2.1
	ip -n server route add default via 198.18.0.1
}

address() { # NAMESPACE DEVICE ADDRESS
	ip -n "$1" addr add "$3" dev "$2"
	ip -n "$1" link set "$2" up
	ip netns exec "$1" ethtool -K "$2" gro on
}

forward_up() { target=$SERVER; }
forward_down() { :; }

ipvs_up() {
	target=$VIP
	ip -n node addr add "$VIP/32" dev lo
	in_node ipvsadm -A -t "$VIP:$PORT" -s rr
	in_node ipvsadm -a -t "$VIP:$PORT" -r "$SERVER:$PORT" -m
}

ipvs_down() {
	in_node ipvsadm -C
	ip -n node addr del "$VIP/32" dev lo
}

clb_up() {
	target=$VIP
	clb_module_load || exit 1
	"$clbctl" -n node listener add tcp "$VIP:$PORT"
	"$clbctl" -n node server add tcp "$VIP:$PORT" "$SERVER:$PORT"
}

clb_down() { clb_module_unload; }

answers() { ip netns exec client nc -z -w 1 $SERVER $PORT; }

# rate STREAMS: bit/s through the system that is up
rate() {
	ip netns exec client iperf3 -J -c "$target" -p $PORT -P "$1" \
		-t "${SECONDS_EACH:-2}" |
		gojq -e '.end.sum_received.bits_per_second | floor'
}

round() { # STREAMS
	local system
	declare -A got

	for system in forward ipvs clb; do
		"${system}_up"
		got[$system]=$(rate "$1") || {
			echo "# failed: $system, $1 streams"
			failed=1
			got[$system]=0
		}
		"${system}_down"
	done
	[ "$failed" = 0 ] || return
	ratio "clb/nat/tcp/throughput@$1:forward" "${got[clb]}" "${got[forward]}"
	ratio "clb/nat/tcp/throughput@$1:ipvs" "${got[clb]}" "${got[ipvs]}"
	ratio "ipvs/nat/tcp/throughput@$1:forward" "${got[ipvs]}" \
		"${got[forward]}"
}

ratio() { # NAME A B
	awk -v name="$1" -v a="$2" -v b="$3" 'BEGIN {
		printf "result %s %.3f ratio\n", name, a / b }'
}

network
ip netns exec server iperf3 -s -p $PORT >/dev/null &
until answers; do sleep 0.1; done
for ((i = 0; i < ${ROUNDS:-5}; i++)); do
	round 1
	round 100
done
kill $!
exit "$failed"
