#!/bin/bash
# SPDX-License-Identifier: MIT
# What clb does, on real traffic: one client, one node, four nginx servers;
# every mode, IPv4 and IPv6, TCP and UDP. Runs in the virtual machine of
# vm/boot.sh ("make demo"); the network is drawn in lib.sh. Fails if an answer
# is not what it should be.
. "$(dirname "$0")/lib.sh"

say() { printf '\n== %s\n' "$*"; }

die() {
	printf '\ndemo: FAILED: %s\n' "$*"
	exit 1
}

# Each shows the command, runs it and shows the answer.
node() {
	echo "node# $*"
	[ "$1" != clbctl ] || set -- "$CLBCTL" "${@:2}"
	in_node "$@" 2>&1 | tee "$TMP/answer"
	[ "${PIPESTATUS[0]}" -eq 0 ] || die "the command failed"
}

client() {
	echo "client\$ $*"
	in_client "$@" 2>&1 | tee "$TMP/answer"
	[ "${PIPESTATUS[0]}" -eq 0 ] || die "no answer"
}

expect() { # TEXT that the last answer contains
	grep -qF "$1" "$TMP/answer" || die "expected: $1"
}

listener() { # PROTOCOL VIP:PORT MODE SERVER_PORT [6]
	local i host

	node clbctl listener add "$1" "$2" mode "$3" scheduler rr
	for i in 1 2 3 4; do
		host=$(server4 "$i")
		[ -z "${5:-}" ] || host=[$(server6 "$i")]
		node clbctl server add "$1" "$2" "$host:$4"
	done
}

# Eight connections; with round robin each of four servers gets two.
eight() { # URL [PATTERN]
	local got want=${2:-s1=2 s2=2 s3=2 s4=2}

	echo "client\$ for i in 1 2 3 4 5 6 7 8; do curl -s $1; done"
	# shellcheck disable=SC2046 # eight times the same word
	got=$(in_client curl -sS -m 20 -H 'Connection: close' \
		$(yes "$1" | head -n 8) 2>&1 | tee "$TMP/answer" | spread)
	paste -sd' ' "$TMP/answer"
	echo "   answers of each server: $got"
	[[ $got =~ ^$want$ ]] || die "expected: $want"
}

say "The module"
clb_module_load || die "the module does not load"
modinfo "$CLB_KO" | grep -E '^(description|version|license|depends)' || true
"$CLBCTL" version

say "The network: clients, a node, four servers with nginx"
sed -n '/ c1   c2 /,/ s1 s2 s3 s4/s/^#//p' "$SELFTESTS/lib.sh"
topo_up || die "no network"
topo_tunnels || die "no tunnels"
for i in 1 2 3 4; do
	start_server "$i" || die "nginx of server $i does not start"
	start_udp "$i" || die "echo of server $i does not start"
done
make_file big 4096

say "NAT: destination translated, port too; the server sees the client"
listener tcp "$VIP4:8001" nat 8080
eight "http://$VIP4:8001/"
client curl -s "http://$VIP4:8001/client"
expect "$(client4 1) "

say "NAT, IPv6"
listener tcp "[$VIP6]:8001" nat 8080 6
eight "http://[$VIP6]:8001/"
client curl -s "http://[$VIP6]:8001/client"
expect "$(client6 1) "

say "Full NAT: the server sees an address of the node's pool"
node clbctl local add "$NODE_BACK4"
listener tcp "$VIP4:8002" fnat 8080
eight "http://$VIP4:8002/"
client curl -s "http://$VIP4:8002/client"
expect "$NODE_BACK4 "

say "Direct routing: the server holds the VIP and answers the client itself"
listener tcp "$VIP4:8080" dr 8080
eight "http://$VIP4:8080/"
client curl -s "http://$VIP4:8080/server"
expect "$VIP4 8080"

say "Tunnel: packets reach the server in IPIP"
listener tcp "$VIP4:80" tun 80
eight "http://$VIP4/"
client curl -s "http://$VIP4/server"
expect "$VIP4 80"

say "4 MB through the node, byte for byte"
client curl -s -o "$TMP/got" -w '%{size_download} bytes\n' \
	"http://$VIP4:8001/files/big"
cmp "$TMP/got" "$TMP/files/big" || die "the file arrived changed"
echo "   same as at the server"

say "UDP echo"
listener udp "$VIP4:$UDP_PORT" nat "$UDP_PORT"
for word in one two three four; do
	client sh -c "echo $word | socat -t 1 - udp:$VIP4:$UDP_PORT"
	expect "$word"
done

say "A server is taken out: the others take over"
node clbctl server down tcp "$VIP4:8001" "$(server4 2):8080"
eight "http://$VIP4:8001/" 's1=[23] s3=[23] s4=[23]'
node clbctl server up tcp "$VIP4:8001" "$(server4 2):8080"

say "What clbctl shows"
node clbctl listener
node clbctl server show tcp "$VIP4:8001"
node clbctl session show listener tcp "$VIP4:8001"
node clbctl stats

topo_down
clb_module_unload || die "the module does not unload"
printf '\ndemo: OK: every connection through the VIP was answered, in all modes\n'
