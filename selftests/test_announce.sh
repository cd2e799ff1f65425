#!/bin/bash
# SPDX-License-Identifier: MIT
# clb-announce: which routes are in its table as servers, sync and the module come
# and go. That BIRD announces them is shown by selftests/cluster. It runs with
# sanitizers.
. "$(dirname "$0")/lib.sh"

readonly TABLE=8850
ANNOUNCE=${ANNOUNCE:-$(sanitized clb-announce)}

topo_up 1 || exit 1
(umask 077 && printf '%064d\n' 7 >"$TMP/secret")
ip -n "$NS-node" link add sync up type dummy || exit 1
ip -n "$NS-node" link set sync up multicast on &&
	ip -n "$NS-node" addr add 10.7.0.1/24 dev sync

announced() { # the addresses in the table, sorted; standby: with a "+"
	{
		ip -n "$NS-node" -4 route show table "$TABLE" 2>/dev/null
		ip -n "$NS-node" -6 route show table "$TABLE" 2>/dev/null
	} | awk '/proto 197/ {print $2 (/metric 2048/ ? "+" : "")}' |
		sort | xargs
}
announces() { [ "$(announced)" = "$*" ]; }	# ADDRESS...
becomes() { # NAME ADDRESS...
	ok "$1" wait_for 10 announces "${@:2}"
	last_ok || diag "there are: $(announced)"
}

start_announce() { # OPTION...
	spawn in_node "$ANNOUNCE" "$@" 2>"$TMP/said"
	announcer=$spawned
}
stop_announce() {
	kill "$announcer" && wait "$announcer" && return
	cat "$TMP/said"
	return 1
}
is_to_be() { in_node "$ANNOUNCE" --check "$@"; }
crash() {
	kill -KILL "$announcer"
	wait "$announcer"
	[ -n "$(announced)" ]
}

config() {
	local vip

	clb flush
	for vip in "$VIP4:80 $(server4 1)" "[$VIP6]:80 [$(server6 1)]"; do
		clb listener add tcp "${vip% *}"
		clb server add tcp "${vip% *}" "${vip#* }"
	done
}
start_sync() {
	clb sync start node 1 interface sync group 239.7.0.1 \
		secret "$TMP/secret"
}

tells() { grep -qx "clb-announce: $1" "$TMP/said"; }

test_ready() {
	config
	start_announce
	is "nothing is announced without sync" "$(announced)" ""
	not_ok "nor is it to be" is_to_be "$VIP4"
	ok "but alone it is" is_to_be "$VIP4" --alone
	ok "sync starts" start_sync
	becomes "a node that is ready announces its VIPs" "$VIP6" "$VIP4"
	ok "they are to be announced" is_to_be "$VIP4"
	ok "IPv6, too" is_to_be "$VIP6"
	not_ok "another address is not" is_to_be 203.0.113.2
	ok "this is said" wait_for 10 tells "announce $VIP4"
	ok "sync stops" clb sync stop
	becomes "without it they are withdrawn"
	ok "this is said, too" wait_for 10 tells "withdraw $VIP4"
	ok "it ends" stop_announce
}

test_servers() {
	config
	start_announce --alone
	becomes "alone it announces its VIPs" "$VIP6" "$VIP4"
	clb server drain tcp "$VIP4:80" "$(server4 1)"
	clb listener add tcp 203.0.113.2:80
	clb server add tcp 203.0.113.2:80 "$(server4 1)"
	becomes "one whose server drains stays" "$VIP6" "$VIP4" 203.0.113.2
	clb server down tcp "$VIP4:80" "$(server4 1)"
	becomes "one whose server is down goes" "$VIP6" 203.0.113.2
	clb listener add tcp "$VIP4:81"
	clb server add tcp "$VIP4:81" "$(server4 1)"
	becomes "one with a server at another port comes" \
		"$VIP6" "$VIP4" 203.0.113.2
	clb server del tcp "$VIP4:81" "$(server4 1)"
	clb server up tcp "$VIP4:80" "$(server4 1)"
	clb listener del tcp 203.0.113.2:80
	becomes "with its listener a VIP goes" "$VIP6" "$VIP4"
	clb local add 198.51.100.202 node 2
	clb local add "$NODE_BACK4"
	becomes "local addresses are announced, but no other node's" \
		"$NODE_BACK4" "$VIP6" "$VIP4"
	clb flush
	becomes "with no listener there is nothing left"
	ok "it ends" stop_announce
}

# The addresses of a node that died, as the module says whose they are.
test_takeover() {
	config
	clb local add 198.51.100.201 node 1
	clb local add 198.51.100.202 node 2
	start_sync
	start_announce
	becomes "a node announces its own local address" \
		198.51.100.201 "$VIP6" "$VIP4"
	ok "it takes another node over" clb node takeover 2
	becomes "and announces its address, too" \
		198.51.100.201 198.51.100.202 "$VIP6" "$VIP4"
	ok "it gives it back" clb node giveback 2
	becomes "and announces it no more" 198.51.100.201 "$VIP6" "$VIP4"
	ok "it ends" stop_announce
	clb sync stop
}

# Local addresses of other nodes, in case they die.
test_standby() {
	config
	clb local add 198.51.100.201 node 1
	clb local add 198.51.100.202 node 2
	clb local add 2001:db8:5::202 node 2
	start_sync
	start_announce --standby
	becomes "those of others are announced as standby" 198.51.100.201 \
		198.51.100.202+ 2001:db8:5::202+ "$VIP6" "$VIP4"
	ok "it takes the other node over" clb node takeover 2
	clb local add 198.51.100.203 node 2
	becomes "they stay standby, for the other may live" 198.51.100.201 \
		198.51.100.202+ 198.51.100.203+ 2001:db8:5::202+ "$VIP6" "$VIP4"
	clb sync stop
	becomes "with sync they go"
	start_sync
	becomes "and come" 198.51.100.201 198.51.100.202+ 198.51.100.203+ \
		2001:db8:5::202+ "$VIP6" "$VIP4"
	ok "it gives them back" clb node giveback 2
	ok "it crashes, and they stay" crash
	start_announce
	becomes "without the option they are withdrawn" \
		198.51.100.201 "$VIP6" "$VIP4"
	ok "it ends" stop_announce
	is "then nothing is announced" "$(announced)" ""
	clb sync stop
}

test_life() {
	config
	ip -n "$NS-node" route add blackhole 203.0.113.9 table "$TABLE"
	start_announce --alone
	becomes "VIPs are announced" "$VIP6" "$VIP4"
	ok "it crashes, and they stay" crash
	clb server del tcp "$VIP4:80" "$(server4 1)"
	start_announce --alone
	becomes "started again it removes what is not true any more" "$VIP6"
	ok "it is told to end" stop_announce
	is "then nothing is announced" "$(announced)" ""
	start_announce --alone
	becomes "it starts once more" "$VIP6"
	crash
	ok "the unit's last word" in_node "$ANNOUNCE" --withdraw
	is "withdraws, too" "$(announced)" ""
	ok "routes of others stayed" \
		ip -n "$NS-node" route show table "$TABLE" 203.0.113.9
	start_announce --alone --table 99
	ok "another table" wait_for 10 in_table 99
	ok "it ends" stop_announce
	not_ok "table 0 is refused" in_node "$ANNOUNCE" --table 0
}

# An administrator's route to a VIP, in the same table.
stranger_stays() { # ADDRESS
	{
		ip -n "$NS-node" -4 route show table "$TABLE"
		ip -n "$NS-node" -6 route show table "$TABLE"
	} | grep "^blackhole $1 .*proto static"
}
in_the_way() { # ADDRESS
	grep -qx "clb-announce: cannot announce $1: File exists" "$TMP/said"
}
test_strangers() {
	local vip

	config
	clb listener add tcp 203.0.113.2:80
	clb server add tcp 203.0.113.2:80 "$(server4 1)"
	for vip in "$VIP4" "$VIP6"; do
		ip -n "$NS-node" route add blackhole "$vip" table "$TABLE" \
			proto static
	done
	start_announce --alone
	becomes "what somebody else's route leads to is not announced" \
		203.0.113.2
	ok "his routes stay" stranger_stays "$VIP4"
	ok "IPv6, too" stranger_stays "$VIP6"
	ok "this is said" wait_for 10 in_the_way "$VIP4"
	ok "IPv6, too" wait_for 10 in_the_way "$VIP6"
	ip -n "$NS-node" route del blackhole "$VIP4" table "$TABLE"
	becomes "without his route a VIP is announced" "$VIP4" 203.0.113.2
	is "it was not said each second" "$(grep -c "$VIP6:" "$TMP/said")" 1
	clb listener del tcp "[$VIP6]:80"
	clb listener del tcp 203.0.113.2:80
	becomes "what he announces is not withdrawn" "$VIP4"
	ok "his route stays" stranger_stays "$VIP6"
	ok "it ends" stop_announce
	ok "and his route stays" stranger_stays "$VIP6"
	ip -n "$NS-node" route del blackhole "$VIP6" table "$TABLE"
}
in_table() {
	ip -n "$NS-node" -6 route show table "$1" | grep -q "$VIP6"
}

# What the kernel says over netlink in the node's namespace, as a device sees it.
said() { # bytes|packets
	in_node cat "/sys/class/net/nlmon/statistics/rx_$1"
}
said_above() { [ "$(said packets)" -gt "$1" ]; }
many_routes() {
	awk 'BEGIN { for (i = 0; i < 2000; i++)
		printf "route add 10.77.%d.%d dev back\n", i / 250, i % 250 }' |
		ip -n "$NS-node" -batch -
}

# Of a router's routes it is told those of its own table alone.
test_listing() {
	local before bytes list

	if ! ip -n "$NS-node" link add nlmon up type nlmon; then
		skip "routes of other tables are not listed" "no nlmon"
		return
	fi
	config
	ok "a router has many routes" many_routes
	before=$(said bytes)
	ip -n "$NS-node" route show table main >"$TMP/routes"
	list=$(($(said bytes) - before))
	ok "to list them says much" [ "$list" -gt 20000 ]
	start_announce --alone
	becomes "VIPs are announced" "$VIP6" "$VIP4"
	before=$(said packets) bytes=$(said bytes)
	ok "it goes on to look after them" wait_for 30 said_above $((before + 20))
	ok "routes of other tables are not listed" \
		[ $(($(said bytes) - bytes)) -lt "$list" ]
	diag "$(($(said bytes) - bytes)) bytes, a list has $list"
	ok "it ends" stop_announce
	ip -n "$NS-node" link del nlmon
	ip -n "$NS-node" route flush root 10.77.0.0/16
}

# The kernel has this load modules: what it is asked for of clb's family is noted,
# not done.
readonly HELPER=/proc/sys/kernel/modprobe
note_loads() {
	cat >"$TMP/modprobe" <<-SH
	#!/bin/sh
	case "\$*" in
	*-family-clb) echo "\$*" >>$TMP/loads ;;
	*) exec $(<"$HELPER") "\$@" ;;
	esac
	SH
	chmod 755 "$TMP/modprobe" && echo "$TMP/modprobe" >"$HELPER"
}
loads() { wc -l <"$TMP/loads"; }

test_module() {
	local helper asked

	config
	start_announce --alone
	becomes "VIPs are announced" "$VIP6" "$VIP4"
	helper=$(<"$HELPER")
	: >"$TMP/loads"
	ok "loading is noted" note_loads
	ok "the module goes" clb_module_unload
	becomes "and with it what was announced"
	not_ok "a check finds no module" is_to_be "$VIP4"
	stop_announce
	start_announce --alone
	ok "nor does who announces" \
		wait_for 10 grep -q "modprobe clb" "$TMP/said"
	asked=$(loads)
	not_ok "clbctl finds none, too" clb settings
	echo "$helper" >"$HELPER"
	is "nobody had the kernel load it" "$asked" 0
	is "but clbctl did" "$(loads)" $((asked + 1))
	ok "the module comes" clb_module_load
	config
	becomes "it is found again" "$VIP6" "$VIP4"
	clb flush
	becomes "and listened to"
	ok "it ends" stop_announce
}

for _part in ready servers takeover standby life strangers listing module; do
	! part "$_part" || "test_$_part"
done
done_testing
