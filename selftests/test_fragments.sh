#!/bin/bash
# SPDX-License-Identifier: MIT
# Fragments: datagrams of 8000 bytes there and back in all modes on real
# sockets, then fragment by fragment (fragments.py): their order, overlaps,
# missing ones, those of others, and their metering. Topology: lib.sh.
. "$(dirname "$0")/lib.sh"

topo_up 2 || exit 1
topo_tunnels || exit 1
start_udp 1 || exit 1
clb local add "$NODE_BACK4"
clb local add "$NODE_BACK6"
text=$(head -c 8000 /dev/zero | tr '\0' x)

# In TUN the client's first fragments may be too big for the tunnel: it is
# told so and makes smaller ones of the next datagram.
large() { # VIP
	{ ask "$1" "$UDP_PORT" "$text" || ask "$1" "$UDP_PORT" "$text"; } \
		>"$TMP/answer" && echo "s1 $text" | cmp - "$TMP/answer"
}

for mode in nat fnat dr tun; do
	for family in 4 6; do
		vip=$VIP4 key=$VIP4:$UDP_PORT server=$(server4 1)
		[ "$family" = 4 ] || vip=$VIP6 key=[$VIP6]:$UDP_PORT \
			server=[$(server6 1)]
		clb listener add udp "$key" mode "$mode"
		clb server add udp "$key" "$server:$UDP_PORT"
		ok "$mode IPv$family: 8000 bytes there and back" large "$vip"
		clb listener del udp "$key"
	done
done
stop "$spawned"
topo_mute c1 s1 s2 || exit 1
relay "$SELFTESTS/fragments.py" "$NS"
done_testing
