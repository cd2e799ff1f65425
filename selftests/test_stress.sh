#!/bin/bash
# SPDX-License-Identifier: MIT
# All at once, by chance: changes, transactions, lists, events, sessions that begin
# and end, namespaces, devices, routes and the module that come and go, two nodes
# that tell each other of their sessions (stress.py), under connections, a flood of
# new sessions and packets on the fast path. On two processors, but for User-Mode
# Linux. Afterwards traffic flows, all counts agree, and nothing is left behind.
# Topology: lib.sh, nodes.sh.
#
# environment:
#	STRESS_SECONDS=20	120 on the kernel that looks for faults; for hours:
#				7200
#	STRESS_SEED=number	of an earlier run; it does the same things, but
#				not at the same moments
. "$(dirname "$0")/lib.sh"
# shellcheck source=selftests/nodes.sh
. "$SELFTESTS/nodes.sh"

readonly SECONDS_OF_STRESS=${STRESS_SECONDS:-$((SLOW > 1 ? 120 : 20))}
readonly SEED=${STRESS_SEED:-$RANDOM}
FLOOD_BIN=${FLOOD_BIN:-$TOP/build/flood}
export CLB_KO

[ "$CLB_KO" != none ] || skip_all "the module is not ours to load"
[ -x "$FLOOD_BIN" ] || skip_all "no $FLOOD_BIN"
modprobe pktgen || skip_all "no pktgen"

stress() { "$SELFTESTS/stress.py" "$NS-node" "$@"; }

session_objects() {
	echo 1 >/sys/kernel/slab/clb_session/shrink
	awk '{print $1}' /sys/kernel/slab/clb_session/objects
}
no_more_objects_than() { [ "$(session_objects)" -le "$1" ]; }
unused() { [ "$(awk '$1 == "clb" {print $3}' /proc/modules)" = 0 ]; }
namespaces() { awk '{print $1}' /sys/kernel/slab/net_namespace/objects; }
no_more_namespaces_than() {
	echo 1 >/sys/kernel/slab/net_namespace/shrink
	[ "$(namespaces)" -le "$1" ]
}

answers() { cat "$TMP"/answers? 2>/dev/null | wc -c; }
more_than() { [ "$(answers)" -gt "$1" ]; }
flows() { wait_for 60 more_than $(($(answers) + 20)); }

# Sixteen flows of c2, a thousand packets a second, until it is stopped.
fast_traffic() {
	# shellcheck disable=SC2016 # for sh
	spawn in_client2 sh -c '
		cd /proc/net/pktgen || exit
		echo rem_device_all >kpktgend_0
		echo "add_device eth0" >kpktgend_0
		for w in "count 0" "pkt_size 60" "ratep 1000" "dst $1" \
			"dst_mac $2" "src_min $3" "src_max $3" \
			"udp_dst_min $4" "udp_dst_max $4" \
			"udp_src_min 2000" "udp_src_max 2015"; do
			echo "$w" >eth0 || exit
		done
		exec echo start >pgctrl' sh "$VIP4" \
		"$(in_node cat /sys/class/net/front/address)" \
		"$(client4 2)" "$UDP_PORT"
	traffic+=("$spawned")
}

traffic=()
traffic_start() {
	local c

	for c in 1 2; do
		spawn in_ns "c$c" "$SELFTESTS/traffic.py" "$TMP/answers$c" \
			"$UDP_PORT" "$VIP4" "$VIP6"
		traffic+=("$spawned")
	done
	spawn in_client nice -n 10 "$FLOOD_BIN" udp "$VIP4" 99 0 10.40.0.1 60000
	traffic+=("$spawned")
	fast_traffic
}
traffic_stop() {
	in_client2 sh -c 'echo stop >/proc/net/pktgen/pgctrl'
	stop "${traffic[@]}"
	traffic=()
}

topo_up 2 && link_up && _node_up node2 2 && link_plug node2 2 || exit 1
for i in 1 2; do
	start_server "$i" || exit 1
	start_udp "$i" || exit 1
done
make_file some 16
node_sink
namespaces=$(namespaces) objects=$(session_objects)

ok "configuration" stress base
traffic_start >"$TMP/traffic" 2>&1
ok "traffic flows" flows
relay stress "$SECONDS_OF_STRESS" "$SEED"
ok "configuration" stress base
ok "traffic flows" flows
ok "on the fast path too" wait_for 20 stat_above fast_packets 0
traffic_stop
relay stress audit
ok "sessions go from memory" \
	wait_for 30 no_more_objects_than $((objects + 64))
ok "so do namespaces" wait_for 60 no_more_namespaces_than $((namespaces + 16))
topo_down
ok "nobody uses the module" wait_for 20 unused
ok "the module unloads" clb_module_unload
ok "and loads" clb_module_load
done_testing
