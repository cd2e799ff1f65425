#!/bin/bash
# SPDX-License-Identifier: MIT
# Two nodes with VRRP: keepalived with the configuration of tools/cluster, but for
# the addresses of this network. Clients and servers have the nodes' common
# addresses as their next hop; one node has them at a time, and connections go on
# at the other one.
. "$(dirname "$0")/lib.sh"
# shellcheck source=selftests/nodes.sh
. "$SELFTESTS/nodes.sh"

readonly FRONT4=192.0.2.254 FRONT6=2001:db8:c::254
readonly BACK4=198.51.100.254 BACK6=2001:db8:5::254

command -v keepalived >/dev/null || skip_all "keepalived is not installed"
nodes_up 2 && start_server 1 && start_server 2 || exit 1
big_file

# Who stands still for some adverts is dead to the other one.
conf_of() { # NODE
	local advert=0.3

	[ "$SLOW" = 1 ] || advert=1
	sed -e "s/advert_int 0.3/advert_int $advert/" \
		-e "s,@PREFIX@/sbin/clb-announce,$TOP/build/tools/clb-announce," \
		-e "s,10\.1\.0\.100/24,$FRONT4/24," \
		-e "s,2001:db8:1::100/64,$FRONT6/64," \
		"$TOP/tools/cluster/keepalived.conf" >"$TMP/$1.conf"
}
start_keepalived() { # NODE
	conf_of "$1" && spawn in_ns "$1" keepalived --dont-fork --log-console \
		--use-file "$TMP/$1.conf" --pid "$TMP/$1.pid" \
		--vrrp_pid "$TMP/$1.vrrp" >"$TMP/$1.log" 2>&1
	keepalived=$spawned
}
next_hops() {
	next_hop "$FRONT4" "$FRONT6" c1 c2
	next_hop "$BACK4" "$BACK6" s1 s2
}
has() { # NODE: all of the common addresses
	local address have

	have=$(ip -n "$NS-$1" -br addr show)
	for address in "$FRONT4" "$FRONT6" "$BACK4" "$BACK6" "$VIP4" "$VIP6"; do
		[[ $have == *" $address/"* ]] || return
	done
}
has_none() { # NODE
	! ip -n "$NS-$1" -br addr show |
		grep -E " ($FRONT4|$FRONT6|$BACK4|$BACK6|$VIP4|$VIP6)/"
}
serves() { has "$1" && has_none "$2"; }		# NODE OTHER
links() { # NODE up|down: with its power
	local device

	for device in front back sync; do
		ip -n "$NS-net" link set "$1-$device" "$2"
	done
}
download() { # FAMILY
	local vip vip_host

	vip_of "$1"
	in_client curl -sSf -m "$((90 * SLOW))" --limit-rate "$(size 1M 200K)" \
		-o "$TMP/got$1" "$(url "$vip" 80 files/big)"
}
ends_well() { wait "$2" && cmp "$TMP/got$1" "$TMP/files/big"; }	# FAMILY PID

begin() { # NAME: downloads and connections through the node that serves
	rm -f "$TMP"/got?
	spawn download 4
	pid4=$spawned
	spawn download 6
	pid6=$spawned
	is "$1: 10 connections are opened" \
		"$(tell client open a "$VIP4" "$ECHO_PORT" 10)" "open 10"
	ok "$1: downloads begin" wait_for 20 has_some "$TMP/got4"
	ok "$1: IPv6, too" wait_for 20 has_some "$TMP/got6"
}
end() { # NAME NODE PACKETS: they end at this node, which had passed so many
	ok "$1: the download goes on, and ends whole" ends_well 4 "$pid4"
	ok "$1: IPv6, too" ends_well 6 "$pid6"
	ok "$1: through the other node" [ "$(passed_by "$2")" -gt "$3" ]
	is "$1: connections go on" "$(tell client ping a)" 10
	tell client close a >"$TMP/close"
}

test_vrrp() {
	local name before

	next_hops
	config nat
	ok "sync starts" cluster_up
	ok "both nodes are ready" wait_for 20 both_ready
	start_keepalived node
	first=$keepalived
	ok "alone, a node takes all addresses" wait_for 20 has node
	start_keepalived node2
	ok "the other one leaves it that" wait_for 20 serves node node2

	name="the node dies"
	begin "$name"
	before=$(passed_by node2)
	kill_keepalived node "$first"
	links node down
	ok "$name: the other takes the addresses" wait_for 20 has node2
	end "$name" node2 "$before"
	ok "$name: sync stops there" on node sync stop
	ok "$name: and keepalived has left all as it was" dead_addresses node

	name="it returns"
	links node up
	ok "$name: sync starts" start_sync node 1
	ok "$name: it is ready" wait_for 20 both_ready
	start_keepalived node
	ok "$name: and looks on" wait_for 20 logged node "Entering BACKUP STATE"
	ok "$name: the other keeps the addresses" serves node2 node

	name="one that may not serve"
	begin "$name"
	before=$(passed_by node)
	ok "$name: sync stops" on node2 sync stop
	ok "$name: gives the addresses away" wait_for 20 serves node node2
	end "$name" node "$before"
}
both_ready() { is_ready node && is_ready node2; }
logged() { grep -q "$2" "$TMP/$1.log"; }	# NODE TEXT
# Its parent would start the child again, and the child give its addresses away
# when the parent dies.
kill_keepalived() { # NODE PARENT
	kill -STOP "$2"
	kill -KILL "$(cat "$TMP/$1.vrrp")"
	kill -KILL "$2"
}
# What keepalived left behind when it was killed: a reboot would have removed it.
dead_addresses() { # NODE
	local address

	for address in "$FRONT4/24 dev front" "$FRONT6/64 dev front" \
		"$VIP4/32 dev front" "$VIP6/128 dev front" \
		"fe80::10/64 dev front" "$BACK4/24 dev back" \
		"$BACK6/64 dev back" "fe80::11/64 dev back"; do
		# shellcheck disable=SC2086 # words are meant to split
		ip -n "$NS-$1" addr del $address || return
	done
}

test_vrrp
done_testing
