#!/bin/bash
# SPDX-License-Identifier: MIT
# Where IPv6 is off the module is there, serves IPv4, and refuses what is IPv6:
# no packet may ever look for a route that nobody can find.
#
#	c1 eth0 --- front node back --- back s1		addresses as in lib.sh
. "$(dirname "$0")/../../lib.sh"

VIP=$VIP4

for ns in c1 node s1; do
	ip netns add "$NS-$ns" && ip -n "$NS-$ns" link set lo up || exit 1
done
ip link add eth0 netns "$NS-c1" type veth peer name front netns "$NS-node"
ip link add back netns "$NS-s1" type veth peer name back netns "$NS-node"
ip -n "$NS-node" -batch - <<-IP
addr add $NODE_FRONT4/24 dev front
addr add $NODE_BACK4/24 dev back
link set front up
link set back up
IP
ip -n "$NS-c1" -batch - <<-IP
addr add $(client4 1)/24 dev eth0
link set eth0 up
route add default via $NODE_FRONT4
IP
ip -n "$NS-s1" -batch - <<-IP
addr add $(server4 1)/24 dev back
link set back up
route add default via $NODE_BACK4
IP
in_node sysctl -qw net.ipv4.ip_forward=1

# refused ARGUMENT...: by the module, which says why
refused() {
	local said

	said=$(clb "$@" 2>&1) && return 1
	echo "$said"
	[[ $said == *"IPv6 is off"* ]]
}

ok "IPv6 is off" [ ! -e /proc/net/if_inet6 ]
ok "a listener of a tunnel" clb listener add udp "$VIP:53" mode tun
ok "a server of IPv6 is refused" \
	refused server add udp "$VIP:53" "[$(server6 1)]:53"
in_client bash -c "echo >/dev/udp/$VIP/53"
is "and a packet has no server" "$(clb_get .drop_no_server stats)" 1
ok "so is a listener" refused listener add udp "[$VIP6]:53" mode nat
ok "so is a local address" refused local add "$NODE_BACK6"
(umask 077 && printf '%064d' 1 >"$TMP/secret")
ok "so is the group of nodes" refused sync start node 1 interface back \
	group ff02::1 secret "$TMP/secret"

make_file small 1
spawn in_server 1 python3 -m http.server 80 --bind "$(server4 1)" \
	--directory "$TMP/files" 2>/dev/null
for mode in nat fnat; do
	clb restore <<-CLB || exit 1
	flush
	local add $NODE_BACK4
	listener add tcp $VIP:80 mode $mode
	server add tcp $VIP:80 $(server4 1):80
	CLB
	wait_for 20 in_client curl -sSf -m 5 -o "$TMP/$mode" "http://$VIP/small"
	ok "$mode: data" cmp "$TMP/$mode" "$TMP/files/small"
done
done_testing
