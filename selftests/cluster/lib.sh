# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A cluster of three nodes, each a virtual machine that can really be killed;
# what they serve is namespaces of this host, which are fast. Sourced.
#
#	c1 .11   c2 .12				clients; c2's kernel is mute
#	 |        |
#	-+--------+--+-------- outside	192.0.2.0/24	  2001:db8:c::/64
#	             | .1
#	           router --- middle --- inner	10.2.0.0/24  2001:db8:2::/64
#	             | .254               |
#	-+---+---+---+-------- front      |	10.1.0.0/24  2001:db8:1::/64
#	 | .1| .2| .3                     |
#	 n1  n2  n3 --- sync 10.7.0.0/24  |	clb, BIRD, clb-announce
#	 | .1| .2| .3                     | .254
#	-+---+---+------- back --+--------+	198.51.100.0/24  2001:db8:5::/64
#	                         |
#	                       s1..s4 .11...	servers; default route: inner
#
# The router learns from the nodes by BGP where the VIP is; inner, where answers
# of servers go (NAT). What servers send from the VIP (DR), or to local addresses
# of nodes, 10.9.0.0/24 and 2001:db8:9::/64 (FNAT), inner passes to the router. Both
# spread by the client's address, so c1 has many. The configuration of BIRD is that
# of tools/cluster.

CLUSTER=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=selftests/lib.sh
. "$CLUSTER/../lib.sh"

readonly FLOWS_PORT=7000 CLIENTS=60
BFD_MS=${BFD_MS:-1000}
NODES="1 2 3"
NODE_TIMEOUT=${NODE_TIMEOUT:-3000}	# no machine lives longer
SHARE=$TMP/share
EXAMPLES=$TOP/tools/cluster
declare -A _boot		# pid of boot.sh, by node
mkdir -p "$SHARE"

# --- the host's side -------------------------------------------------------

# What the rig needs of this machine; says what is missing.
rig_possible() {
	[ "$(id -u)" -eq 0 ] || { echo "needs root"; return 1; }
	[ -w /dev/net/tun ] || { echo "needs /dev/net/tun"; return 1; }
	[ -e /proc/sys/net/ipv4/fib_multipath_hash_policy ] ||
		{ echo "needs a kernel with multipath routes"; return 1; }
}

_plug_vm() { # DEVICE BRIDGE
	ip -n "$NS-net" tuntap add dev "$1" mode tap &&
		ip -n "$NS-net" link set "$1" master "$2" up
}

_cluster_net_up() {
	local bridge n

	_ns_add net
	for bridge in outside front back sync middle; do
		ip -n "$NS-net" link add "$bridge" up type bridge \
			mcast_snooping 0
	done
	for n in $NODES; do
		for bridge in front back sync; do
			_plug_vm "n$n-$bridge" "$bridge" || return
		done
	done
}

# A server repeats its answer to a SYN after 255 s, and waits for 511: so long a
# node may take to boot, and so long sessions are kept (timeout-syn).
# _end_up NAME BRIDGE ADDRESS4 ADDRESS6 GATEWAY4 GATEWAY6
_end_up() {
	_ns_add "$1" net.ipv4.tcp_synack_retries=8 \
		net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
	_plug "$1" eth0 "$2"
	ip -n "$NS-$1" -batch - <<-IP
	link set lo up
	link set eth0 up
	addr add $3 dev eth0
	addr add $4 dev eth0 nodad
	route add default via $5
	route add default via $6
	IP
}

# A server has the VIP for DR; it does not answer ARP for it.
_servers_up() {
	local i

	for i in $(seq "$SERVERS"); do
		_end_up "s$i" back "$(server4 "$i")/24" "$(server6 "$i")/64" \
			198.51.100.254 2001:db8:5::254
		ip -n "$NS-s$i" addr add "$VIP4/32" dev lo
		ip -n "$NS-s$i" addr add "$VIP6/128" dev lo nodad
		spawn in_server "$i" "$CLUSTER/flows.py" serve "$FLOWS_PORT"
		wait_for 10 tcp_server_up "$i" "$FLOWS_PORT" || return
	done
}

# _router_up NAME FIELDS DEVICE...: FIELDS of the hash, BIRD by its file
_router_up() {
	local bridge

	_ns_add "$1" net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv{4,6}.fib_multipath_hash_policy=3 \
		net.ipv{4,6}.fib_multipath_hash_fields="$2"
	for bridge in "${@:3}"; do
		_plug "$1" "$bridge" "$bridge"
		ip -n "$NS-$1" link set "$bridge" up
	done
	ip -n "$NS-$1" link set lo up
	_bird_conf "bird-$1.conf" >"$TMP/$1.conf"
	ip -n "$NS-$1" -batch - || return
	spawn in_ns "$1" bird -f -c "$TMP/$1.conf" -s "$TMP/$1.ctl" \
		2>"$TMP/$1.log"
}

_routers_up() {
	_router_up router 1 outside front middle <<-IP || return
	addr add 192.0.2.1/24 dev outside
	addr add 2001:db8:c::1/64 dev outside nodad
	addr add 10.1.0.254/24 dev front
	addr add 2001:db8:1::254/64 dev front nodad
	addr add 10.2.0.1/24 dev middle
	addr add 2001:db8:2::1/64 dev middle nodad
	route add 198.51.100.0/24 via 10.2.0.2
	route add 2001:db8:5::/64 via 2001:db8:2::2
	IP
	_router_up inner 2 back middle <<-IP || return
	addr add 198.51.100.254/24 dev back
	addr add 2001:db8:5::254/64 dev back nodad
	addr add 10.2.0.2/24 dev middle
	addr add 2001:db8:2::2/64 dev middle nodad
	route add default via 10.2.0.1
	route add default via 2001:db8:2::1
	rule add iif back from 198.51.100.0/24 to 192.0.2.0/24 lookup 8851
	route add blackhole default table 8851 metric 4294967294
	IP
	ip -n "$NS-inner" -6 -batch - <<-IP
	rule add iif back from 2001:db8:5::/64 to 2001:db8:c::/64 lookup 8851
	route add blackhole default table 8851 metric 4294967294
	IP
}

# Many clients: half a subnet of c1's.
_clients_up() {
	local i

	_end_up c1 outside "$(client4 1)/24" "$(client6 1)/64" \
		192.0.2.1 2001:db8:c::1
	_end_up c2 outside "$(client4 2)/24" "$(client6 2)/64" \
		192.0.2.1 2001:db8:c::1
	for ((i = 0; i < CLIENTS; i++)); do
		printf 'addr add 192.0.2.%d/24 dev eth0\n' $((128 + i))
		printf 'addr add 2001:db8:c::1:%x/64 dev eth0 nodad\n' "$i"
	done | ip -n "$NS-c1" -batch - && topo_mute c2
}

# rig_up: everything but the nodes.
rig_up() {
	_cluster_net_up && _routers_up && _clients_up && _servers_up || return
	dialogue flows in_ns c1 "$CLUSTER/flows.py" client 2>"$TMP/flows.err"
	dialogue half in_ns c2 "$CLUSTER/half.py" 2>"$TMP/half.err"
	HEAR_TIMEOUT=300
	(umask 077 && printf '%064d\n' 7 >"$SHARE/secret")
}

open_flows() { # TRANSFERRING IDLE: from the clients of c1
	tell flows open "$1" "$2" "$FLOWS_PORT" 192.0.2.128 "$CLIENTS" "$VIP4" \
		2001:db8:c::1:0 "$CLIENTS" "$VIP6"
}

# --- nodes ---------------------------------------------------------------------

# In FNAT: the local addresses of all nodes, each said to be its node's.
_config_locals() {
	local n

	for n in $NODES; do
		echo "local add 10.9.0.$n node $n"
		echo "local add 2001:db8:9::$n node $n"
	done
}

_config_listeners() { # MODE
	local host i vip

	for vip in "$VIP4" "[$VIP6]"; do
		echo "listener add tcp $vip:$FLOWS_PORT mode $1 timeout-syn 600"
		for i in $(seq "$SERVERS"); do
			[ "$vip" = "$VIP4" ] && host=$(server4 "$i") ||
				host=[$(server6 "$i")]
			echo "server add tcp $vip:$FLOWS_PORT $host"
		done
	done
}

# What all nodes are configured with.
cluster_config() { # MODE
	{
		[ "$1" != fnat ] || _config_locals
		_config_listeners "$1"
	} >"$SHARE/clb.conf"
}

# A machine full of work is no dead one: slower than what is shipped.
_bird_conf() { # FILE
	sed -e 's/^log .*/log stderr all;/' \
		-e "s/interval 300 ms;/interval $BFD_MS ms;/" "$EXAMPLES/$1"
}

_node_conf() { # NODE
	_bird_conf bird-node.conf | sed -e "s/10\.1\.0\.1;/10.1.0.$1;/" \
		-e "s/198\.51\.100\.1;/198.51.100.$1;/" \
		-e "s/\(2001:db8:[15]\)::1;/\1::$1;/" >"$SHARE/bird-$1.conf"
}

# A network card, as arguments of QEMU.
_card() { # NODE BRIDGE NUMBER
	echo "-netdev tap,id=$2,ifname=n$1-$2,script=no,downscript=no" \
		"-device virtio-net-pci,netdev=$2,mac=52:54:00:00:0$3:0$1"
}

# boot_node NODE: it is there when it is heard (node_up). A node that boots takes a
# whole processor, and should not take that of another.
boot_node() {
	_node_conf "$1" || return
	rm -f "$TMP/n$1.pid"
	CPU=any SMP=1 MEM=512M TIMEOUT=$NODE_TIMEOUT SHARE=$SHARE \
	LOGDIR=$TOP/build/log/cluster-n$1 \
	QEMU_ARGS="-pidfile $TMP/n$1.pid $(_card "$1" front 1) \
		$(_card "$1" back 2) $(_card "$1" sync 3)" \
	spawn in_ns net "$SELFTESTS/vm/boot.sh" "cluster-n$1" \
		"$CLUSTER/node.sh" "$1" >"$TMP/n$1.out" 2>&1
	_boot[$1]=$spawned
}

# kill_node NODE: as if its power had gone.
kill_node() {
	kill -KILL "$(cat "$TMP/n$1.pid")"
	wait "${_boot[$1]}"
	unset "_boot[$1]"
}

# BIRD of NODE crashes; clb and clb-announce live on.
crash_bird() { # NODE
	# shellcheck disable=SC2016 # the node's
	on "$1" 'touch /run/no-bird && { kill -KILL "$(cat /run/bird.pid)" ||
		! pidof bird; }'
}
start_bird() { on "$1" rm /run/no-bird; }	# NODE

# As "systemctl stop clb-announce" does; what still comes is served.
stop_announce() { on "$1" 'touch /run/no-announce; pkill clb-announce'; } # NODE
start_announce() { on "$1" rm /run/no-announce; }			# NODE

# Servers of all listeners of a node are taken down, or up again; by its own
# health checks, say.
servers_of() { # NODE up|down
	on "$1" "grep '^server add' /run/share/clb.conf |
		sed 's/add/set/; s/\$/ state $2/' | $CLBCTL restore --add"
}
servers_down() { servers_of "$1" down; }
servers_up() { servers_of "$1" up; }
unload_clb() { on "$1" rmmod clb; }		# NODE
load_clb() { on "$1" "$CLUSTER/node.sh" "$1" load; }	# NODE

# on NODE COMMAND...: runs it there, by a shell, and has its exit status.
on() {
	local node=$1 out rc

	shift
	out=$(printf '%s\necho "exit=$?"\n' "$*" |
		in_ns router socat -t 60 - \
			"TCP:10.1.0.$node:9,connect-timeout=20") || return
	rc=${out##*exit=}
	printf '%s' "${out%exit=*}"
	return "${rc:-1}"
}
node_up() { on "$1" true; }
on_clb() { on "$1" "$CLBCTL" "${@:2}"; }	# NODE ARGUMENT...

# Packets that a machine did not fetch in time, of all of them.
taps_dropped() {
	ip -n "$NS-net" -j -s link show | jq '[.[] |
		select(.ifname | test("^n[0-9]")) | .stats64.tx.dropped] | add'
}

# What a router knows of the way to a prefix: the nodes.
hops() { # ROUTER -4|-6 PREFIX [TABLE]
	ip -n "$NS-$1" "$2" route show "$3" ${4:+table "$4"} |
		grep -oE 'via [^ ]+' | sed 's/.*[.:]//' | sort | xargs
}
hops_are() { # NODE...: in both families
	_both_are "$(hops router -4 "$VIP4")" "$(hops router -6 "$VIP6")" "$*"
}
# What inner knows of the way answers take: the same.
answers_are() { # NODE...
	_both_are "$(hops inner -4 default 8851)" \
		"$(hops inner -6 default 8851)" "$*"
}
_both_are() { # OF-IPV4 OF-IPV6 WANTED
	[ "$1" = "$3" ] && [ "$2" = "$3" ] && return
	echo "IPv4: $1, IPv6: $2"
	return 1
}
# All NODES but those given.
others() { # NODE...
	local n

	for n in $NODES; do
		[[ " $* " == *" $n "* ]] || echo "$n"
	done | xargs
}

# All are announced, or one has ended, for which nobody need wait.
settled() {
	# shellcheck disable=SC2086 # words are meant to split
	hops_are $NODES || ! kill -0 "${_boot[@]}" 2>/dev/null
}

cluster_up() { # MODE
	local n

	cluster_config "$1"
	for n in $NODES; do
		boot_node "$n"
	done
	# shellcheck disable=SC2086 # words are meant to split
	if ! { wait_for 600 settled && hops_are $NODES; }; then
		tail -n 20 "$TMP"/{n?.out,router.log}
		return 1
	fi
}

# The nodes end by themselves, for their kernel logs to be looked at.
stop_node() { # NODE
	wait_for 60 on "$1" touch /run/stop && wait_for 120 has_ended "$1" ||
		return
	wait "${_boot[$1]}"
}
has_ended() { ! kill -0 "${_boot[$1]}" 2>/dev/null; }
cluster_down() {
	local n rc=0

	for n in "${!_boot[@]}"; do
		stop_node "$n" || { cat "$TMP/n$n.out"; rc=1; }
		unset "_boot[$n]"
	done
	return "$rc"
}
