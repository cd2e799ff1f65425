#!/bin/bash
# SPDX-License-Identifier: MIT
# What clb does, on real traffic: one client, one node, four nginx servers;
# every mode, IPv4 and IPv6, TCP and UDP; HTTP by rules, by clbd. Runs in the virtual machine of
# vm/boot.sh ("make demo"); the network is drawn in lib.sh. Fails if an answer
# is not what it should be.
. "$(dirname "$0")/layers.sh"
# shellcheck source=selftests/narrate.sh
. "$SELFTESTS/narrate.sh"

node() {
	local text="node# $*"

	[ "$1" != clbctl ] || set -- "$CLBCTL" "${@:2}"
	shown "$text" in_node "$@" || die "the command failed"
}

client() { shown "client\$ $*" in_client "$@" || die "no answer"; }

expect() { # TEXT that the last answer contains
	grep -qF "$1" "$TMP/answer" || die "expected: $1"
}

listener() { # PROTOCOL VIP:PORT MODE SERVER_PORT FAMILY
	local i host

	node clbctl listener add "$1" "$2" mode "$3" scheduler rr
	for i in 1 2 3 4; do
		host=$(server4 "$i")
		[ "$5" = 4 ] || host=[$(server6 "$i")]
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

# Both families: HTTP, what PAGE says of the addresses, and UDP.
in_mode() { # MODE PORT SERVER_PORT PAGE TEXT4 TEXT6
	local f vip text word

	for f in 4 6; do
		vip=$VIP4 text=$5
		[ "$f" = 4 ] || vip=[$VIP6] text=$6
		listener tcp "$vip:$2" "$1" "$3" "$f"
		eight "http://$vip:$2/"
		client curl -s "http://$vip:$2/$4"
		expect "$text"
		listener udp "$vip:$UDP_PORT" "$1" "$UDP_PORT" "$f"
		for word in one two; do
			client sh -c "echo $word |
				socat -t 1 - udp$f:$vip:$UDP_PORT"
			expect "$word"
		done
		node clbctl listener del udp "$vip:$UDP_PORT"
	done
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
in_mode nat 8001 8080 client "$(client4 1) " "$(client6 1) "

say "Full NAT: the server sees an address of the node's pool"
node clbctl local add "$NODE_BACK4"
node clbctl local add "$NODE_BACK6"
in_mode fnat 8002 8080 client "$NODE_BACK4 " "$NODE_BACK6 "

say "Direct routing: the server holds the VIP and answers the client itself"
in_mode dr 8080 8080 server "$VIP4 8080" "$VIP6 8080"

say "Tunnel: packets reach the server in IPIP, those of IPv6 in IPv6"
in_mode tun 80 80 server "$VIP4 80" "$VIP6 80"

say "4 MB through the node, byte for byte"
client curl -s -o "$TMP/got" -w '%{size_download} bytes\n' \
	"http://$VIP4:8001/files/big"
cmp "$TMP/got" "$TMP/files/big" || die "the file arrived changed"
echo "   same as at the server"

say "A server is taken out: the others take over"
node clbctl server down tcp "$VIP4:8001" "$(server4 2):8080"
eight "http://$VIP4:8001/" 's1=[23] s3=[23] s4=[23]'
node clbctl server up tcp "$VIP4:8001" "$(server4 2):8080"

say "HTTP: through clb.ko to two L7 nodes, and by rules to servers"
for i in 1 2; do
	start_clbd "$i" 8888 || die "clbd of node $i does not start"
done
echo "   s1 and s2 run clbd: *.blue.example is served by s4, others by s3"
node clbctl listener add tcp "$VIP4:8003" scheduler rr
node clbctl server add tcp "$VIP4:8003" "$(server4 1):8888"
node clbctl server add tcp "$VIP4:8003" "$(server4 2):8888"
for host in red.example a.blue.example; do
	client curl -s -H "Host: $host" "http://$VIP4:8003/"
	expect "$([ "$host" = red.example ] && echo s3 || echo s4)"
done
echo "s3\$ cat forwarded.log"
tee "$TMP/answer" <"$TMP/s3/forwarded.log"
expect "$(client4 1) "

say "Full NAT to the L7 nodes: an option of the SYN tells them the client"
node clbctl listener set tcp "$VIP4:8003" mode fnat client-address on
client curl -s -H "Host: red.example" "http://$VIP4:8003/full-nat" >"$TMP/answer"
echo "s3\$ tail -n 1 forwarded.log"
tail -n 1 "$TMP/s3/forwarded.log" | tee "$TMP/answer"
expect "$(client4 1) "

say "An L7 node dies, and the health check takes it out"
kill_clbd 1
node clbctl check tcp "$VIP4:8003" interval 1 fall 2 --count 2
expect "server down tcp $VIP4:8003 $(server4 1):8888"
eight "http://$VIP4:8003/" 's3=8'

say "What clbctl shows"
node clbctl listener
node clbctl server show tcp "$VIP4:8001"
node clbctl session show listener tcp "$VIP4:8001"
node clbctl stats

topo_down
clb_module_unload || die "the module does not unload"
printf '\ndemo: OK: every connection through the VIP was answered, in all modes\n'
