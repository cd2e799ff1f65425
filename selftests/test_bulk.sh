#!/bin/bash
# SPDX-License-Identifier: MIT
# 20 MB (4 on slow kernels) through each mode arrive as they were sent, with all
# offloads on, off at the node, and off: super-packets of 64 kB pass whole,
# checksums left to the hardware are right when the node computes them, and
# single packets are, too. In DR and TUN the data goes
# to the server, as nothing else passes the node. Topology: lib.sh.
. "$(dirname "$0")/lib.sh"

MB=$(size 20 4)
readonly MB
readonly SEGMENTS=$((MB << 20 >> 11))	# fewer than it has packets

topo_up 1 || exit 1
topo_tunnels || exit 1
start_server 1 || exit 1
make_file big $((MB * 1024))
clb local add "$NODE_BACK4"
clb local add "$NODE_BACK6"

# GRO is off in veth unless asked for.
gro_on() {
	in_node ethtool -K front gro on
	in_node ethtool -K back gro on
}

# One that stands still, or nearly so, has failed.
transfer() {
	in_client curl -sSf -m 120 --connect-timeout 20 --speed-limit 100000 \
		--speed-time 20 "$@"
}

download() {
	transfer "$(url "$1" 80 files/big)" |
		cmp - "$TMP/files/big"
}

upload() {
	rm -f "$TMP/s1/put/up"
	transfer -H Expect: -T "$TMP/files/big" \
		"$(url "$1" 80 put/up)" && cmp "$TMP/s1/put/up" "$TMP/files/big"
}

packets() { # rx|tx DEVICE: that the node's driver got or sent
	in_node cat "/sys/class/net/$2/statistics/$1_packets"
}

# bulk OFFLOADS MODE FAMILY, OFFLOADS: on, node (off there) or off
bulk() {
	local vip=$VIP4 host=$VIP4 server label="$2 IPv$3, offloads $1"
	local transfer=download from=back to=front got sent

	part "$2-$1" || return 0
	server=$(server4 1)
	[ "$3" = 4 ] || vip=$VIP6 host=[$VIP6] server=[$(server6 1)]
	case $2 in
	dr|tun)	transfer=upload from=front to=back ;;
	esac
	clb listener add tcp "$host:80" mode "$2"
	clb server add tcp "$host:80" "$server:80"
	got=$(packets rx "$from") sent=$(packets tx "$to")
	ok "$label: $transfer of $MB MB" "$transfer" "$vip"
	got=$(($(packets rx "$from") - got)) sent=$(($(packets tx "$to") - sent))
	if [ "$1" = on ]; then
		# how large they are is for the sender to say, who may be slow
		ok "$label: in super-packets" [ "$got" -lt "$SEGMENTS" ]
		ok "$label: they pass whole" [ "$sent" -le $((got + 64)) ]
	else
		ok "$label: packet by packet" [ "$sent" -gt "$SEGMENTS" ]
	fi
	clb listener del tcp "$host:80"
}

gro_on
for mode in nat fnat dr tun; do
	bulk on "$mode" 4
	bulk on "$mode" 6
done
# What the others leave to the hardware, the node must do itself.
for device in front back; do
	in_node ethtool -K "$device" tx off
done
bulk node nat 4
bulk node nat 6
bulk node fnat 4
bulk node tun 4
topo_offloads_off
for mode in nat fnat dr tun; do
	bulk off "$mode" 4
	bulk off "$mode" 6
done
done_testing
