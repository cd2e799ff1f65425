#!/bin/bash
# SPDX-License-Identifier: MIT
# Everything goes away cleanly, traffic or not: the module, a namespace, a
# device; and nothing is left behind, however often. Topology: lib.sh.
. "$(dirname "$0")/lib.sh"

ROUNDS=$(size 1000 100)
readonly ROUNDS

listen() {
	local host

	clb local add "$NODE_BACK4" && clb local add "$NODE_BACK6" || return
	for host in "$VIP4" "[$VIP6]"; do
		clb listener add tcp "$host:80" scheduler rr &&
			clb listener add tcp "$host:8080" mode fnat &&
			clb listener add udp "$host:$UDP_PORT" scheduler rr ||
			return
	done
	for i in 1 2; do
		clb server add tcp "$VIP4:80" "$(server4 "$i"):80" &&
			clb server add tcp "$VIP4:8080" "$(server4 "$i"):80" &&
			clb server add udp "$VIP4:$UDP_PORT" "$(server4 "$i")" &&
			clb server add tcp "[$VIP6]:80" "[$(server6 "$i")]:80" &&
			clb server add tcp "[$VIP6]:8080" "[$(server6 "$i")]:80" &&
			clb server add udp "[$VIP6]:$UDP_PORT" "$(server6 "$i")" ||
			return
	done
}

loops=()
traffic_start() {
	local c

	for c in 1 2; do
		spawn in_ns "c$c" "$SELFTESTS/traffic.py" "$TMP/answers$c" \
			"$UDP_PORT" "$VIP4" "$VIP6"
		loops+=("$spawned")
	done
}
traffic_stop() {
	stop "${loops[@]}"
	loops=()
}

answers() { cat "$TMP"/answers? 2>/dev/null | wc -c; }
more_than() { [ "$(answers)" -gt "$1" ]; }
# flows: 20 more answers come in.
flows() { wait_for 30 more_than $(($(answers) + 20)); }

# --- what is left behind -----------------------------------------------------

# Sessions in memory. The cache may be one with another of the same size, so
# only differences tell; what a CPU keeps in reserve counts until it is shrunk.
session_objects() {
	echo 1 >/sys/kernel/slab/clb_session/shrink
	awk '{print $1}' /sys/kernel/slab/clb_session/objects
}
no_more_objects_than() { [ "$(session_objects)" -le "$1" ]; }
references() { awk '$1 == "clb" {print $3}' /proc/modules; }
unused() { [ "$(references)" = 0 ]; }
# Bytes of what is allocated on account of a user, as configurations are. What a
# CPU takes next comes from a slab of which all objects count as taken, so it is
# made to give this up at once before the count: one of 4 kB is eight pages.
objects_on_account() {
	local cache bytes=0 objects size

	for cache in /sys/kernel/slab/kmalloc-cg-*; do
		[ -e "$cache" ] || break	# no accounts on this kernel
		echo 1 >"$cache/shrink"
		read -r objects _ <"$cache/objects"
		read -r size <"$cache/object_size"
		bytes=$((bytes + objects * size))
	done
	echo "$bytes"
}
# Bytes for each CPU, of slabs not given back, of vmalloc.
memory() {
	awk '/^Percpu:|^SUnreclaim:|^VmallocUsed:/ {sum += $2}
		END {print sum * 1024}' /proc/meminfo
}
settle() { # RCU callbacks, caches of the CPUs
	local cache

	sync
	for cache in /sys/kernel/slab/*/shrink; do
		echo 1 >"$cache"
	done
	echo 3 >/proc/sys/vm/drop_caches
} 2>/dev/null

# --- the module --------------------------------------------------------------

topo_up 2 || exit 1
for i in 1 2; do
	start_server "$i" || exit 1
	start_udp "$i" || exit 1
done
make_file some 16
baseline=$(($(session_objects) + 64))
test_module() {
	local round

	for round in 1 2; do
		ok "traffic flows ($round)" flows
		ok "the module goes under traffic ($round)" clb_module_unload
		ok "and comes back ($round)" clb_module_load
		is "with nothing configured ($round)" "$(clb save)" ""
		ok "configuration ($round)" listen
	done
	ok "traffic flows" flows
}

# --- devices -----------------------------------------------------------------

# The node has new addresses on the link.
forget_neighbours() {
	local ns

	for ns in c1 c2 s1 s2; do
		ip -n "$NS-$ns" neigh flush all
	done
}

# The node loses an interface amid it all and gets a new one.
lose() { # INTERFACE
	ip -n "$NS-node" link del "$1"
}
regain() { # INTERFACE IPV4 IPV6
	_plug node "$1" "$1" && ip -n "$NS-node" -batch - <<-IP
	link set $1 up
	addr add $2/24 dev $1
	addr add $3/64 dev $1 nodad
	IP
	forget_neighbours
}
test_devices() {
	local c

	ok "the device to the servers goes under traffic" lose back
	ok "and comes back" regain back "$NODE_BACK4" "$NODE_BACK6"
	ok "traffic flows" flows
	ok "the device to the clients goes under traffic" lose front
	ok "and comes back" regain front "$NODE_FRONT4" "$NODE_FRONT6"
	for c in 1 2; do
		ip -n "$NS-c$c" route replace default via "$NODE_FRONT4"
		ip -n "$NS-c$c" route replace default via "$NODE_FRONT6"
	done
	ok "traffic flows" flows
}

# --- namespaces --------------------------------------------------------------

# Its processes first: a namespace lives as long as they do.
drop_node() {
	ip netns pids "$NS-node" | xargs -r kill
	ip netns del "$NS-node"
}
# Sessions in all modes, which hold all kinds of routes, go with the namespace.
hold_sessions() {
	local mode port=6000 vip host server

	for mode in nat fnat dr tun; do
		for vip in "$VIP4" "$VIP6"; do
			port=$((port + 1)) host=$vip server=$(server4 1)
			[ "$vip" = "$VIP4" ] || host=[$vip] \
				server=[$(server6 1)]
			clb listener add udp "$host:$port" mode "$mode" &&
				clb server add udp "$host:$port" \
					"$server:$port" || return
			in_client bash -c "echo x >/dev/udp/$vip/$port" ||
				return
		done
	done
	wait_for 10 last_is_held
}
# Of the last mode and family above.
last_is_held() { [ "$(clb session count listener udp "[$VIP6]:6006")" = 1 ]; }

test_namespace() {
	ok "sessions in all modes" hold_sessions
	ok "the namespace of the node goes under traffic" drop_node
	ok "its sessions go from memory" wait_for 20 no_more_objects_than "$baseline"
	ok "nobody uses the module" wait_for 10 unused
	traffic_stop
	ok "the module unloads" clb_module_unload
	ok "and loads" clb_module_load
}

# --- many times --------------------------------------------------------

# Each round is one configuration, some sessions, and their end.
rounds() { # COUNT
	"$SELFTESTS/rounds.py" "$NS-c1" "$NS-node" "$1"
}

# What is left behind grows in each quarter of the rounds, what others do does
# not.
test_rounds() {
	local objects quarter small large least_small='' least_large=''

	ok "a new node" _node_up node 1
	forget_neighbours
	ok "servers and clients reach it" \
		wait_for 10 in_client ping -c 1 -W 1 "$NODE_BACK4"
	ok "warming up" rounds 50
	ok "all sessions are gone" wait_for 20 no_more_objects_than "$baseline"
	settle
	objects=$(session_objects)
	for quarter in 1 2 3 4; do
		settle
		small=$(objects_on_account) large=$(memory)
		relay rounds $((ROUNDS / 4))
		ok "all sessions are gone from memory ($quarter)" \
			wait_for 20 no_more_objects_than $((objects + 64))
		settle
		small=$(($(objects_on_account) - small))
		large=$(($(memory) - large))
		diag "$small bytes more on account, $large in all," \
			"$(($(session_objects) - objects)) sessions"
		[ "${least_small:-$small}" -lt "$small" ] || least_small=$small
		[ "${least_large:-$large}" -lt "$large" ] || least_large=$large
	done
	if [ "$SLOW" -gt 1 ]; then
		skip "memory does not grow" "too few rounds; kmemleak tells"
	else
		ok "what is on account grows by no byte a round" \
			[ "$least_small" -lt $((ROUNDS / 4)) ]
		ok "memory grows by no kB a round" \
			[ "$least_large" -lt $((1024 * ROUNDS / 4)) ]
	fi
	is "nothing is configured" "$(clb save)" ""
	ok "no session is counted" wait_for 10 none_left
	topo_down
	ok "nobody uses the module" wait_for 10 unused
	ok "the module unloads" clb_module_unload
	ok "and loads again" clb_module_load
}

ok "configuration" listen
traffic_start
! part module || test_module
! part devices || test_devices
test_namespace
! part rounds || test_rounds
done_testing
