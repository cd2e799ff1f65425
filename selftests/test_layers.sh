#!/bin/bash
# SPDX-License-Identifier: MIT
# Both layers together: clients reach HTTP servers through clb.ko, in all modes,
# and two L7 nodes that run clbd, by rules on domain and path; servers are told
# who the client is, in FNAT by an option of the SYN. A node that dies is taken
# out by clbctl check. Topology: lib.sh; s1 and s2 are the L7 nodes, s3 and s4 the
# servers behind them.
. "$(dirname "$0")/layers.sh"

topo_up || exit 1
topo_tunnels || exit 1
start_server 3 && start_server 4 || exit 1
make_file big 2048

start_clbd 1 80 && start_clbd 2 80 || exit 1

family() { # 4 or 6
	f=$1
	vip_of "$1"
	if [ "$1" = 4 ]; then
		client=$(client4 1) pool=$NODE_BACK4
	else
		client=$(client6 1) pool=$NODE_BACK6
	fi
}

node_address() { # NUMBER: of the L7 node
	if [ "$f" = 4 ]; then server4 "$1"; else echo "[$(server6 "$1")]"; fi
}
key() { echo tcp "$vip_host:80"; }

add() { # MODE
	local told=

	[ "$1" != fnat ] || told="client-address on"
	clb restore <<-END
	local add $NODE_BACK4
	local add $NODE_BACK6
	listener add $(key) mode $1 scheduler rr $told
	server add $(key) $(node_address 1):80
	server add $(key) $(node_address 2):80
	END
}

# web HOST PATH [COUNT]: from c1, a connection each.
web() {
	local args=() i

	for ((i = 0; i < ${3:-1}; i++)); do
		args+=("http://$vip_host$2")
	done
	in_client curl -sSf -m "$((10 * SLOW))" -H "Host: $1" \
		-H "Connection: close" "${args[@]}"
}

forget() { : >"$TMP/s$1/forwarded.log"; } # NUMBER: what the server was told
# logged NUMBER COUNT: the server tells of a request after its answer.
logged() { [ "$(wc -l <"$TMP/s$1/forwarded.log")" -ge "$2" ]; }

# told_to NUMBER COUNT: what the server was told with so many requests.
told_to() {
	wait_for 10 logged "$1" "$2" &&
		sort "$TMP/s$1/forwarded.log" | uniq -c | awk '{$1 = $1} 1'
}

download() {
	in_client curl -sSf -m "$((30 * SLOW))" -o "$TMP/got" \
		"http://$vip_host/files/big" &&
		cmp "$TMP/got" "$TMP/files/big"
}

test_rules() { # MODE
	local seen=$client label="$1 IPv$f"

	ok "$label: listener and L7 nodes" add "$1"
	forget 3
	forget 4
	is "$label: by domain, one group" \
		"$(web red.example / 4 2>&1 | spread)" "s3=4"
	is "$label: by domain, the other" \
		"$(web a.blue.example / 4 2>&1 | spread)" "s4=4"
	is "$label: servers are told the client, by both nodes" \
		"$(told_to 3 4 2>&1)" \
		"2 $seen node1-$f red.example/
2 $seen node2-$f red.example/"
	is "$label: all servers" "$(told_to 4 4 2>&1)" \
		"2 $seen node1-$f a.blue.example/
2 $seen node2-$f a.blue.example/"
	is "$label: by path" \
		"$(web red.example /server 2>&1)" "$(server6 4) 8080"
	ok "$label: 2 MB" download
}

state_of() { # NUMBER
	# shellcheck disable=SC2046 # words are meant to split
	clb_get '.[0].state' server show $(key) "$(node_address "$1"):80"
}
state_is() { [ "$(state_of "$1")" = "$2" ]; }

# Both get their turn, or the one that is left gets all; no request fails.
nodes_of() { # COUNT
	local n

	forget 3
	web red.example / "$1" >"$TMP/answers" || return
	n=$(grep -cx s3 "$TMP/answers")
	[ "$n" -eq "$1" ] || return
	wait_for 10 logged 3 "$1" || return
	awk '{print $2}' "$TMP/s3/forwarded.log" | sort | uniq -c |
		awk '{printf "%s%s=%d", sep, $2, $1; sep = " "} END {print ""}'
}

silence() { # NUMBER: the node is there no more for anybody
	in_server "$1" nft add table inet silence \; \
		add chain inet silence in \
		'{ type filter hook prerouting priority raw; policy drop; }'
}
speak() { in_server "$1" nft delete table inet silence; }

test_death() { # LABEL DIE LIVE
	local checker

	# shellcheck disable=SC2046 # words are meant to split
	spawn clb check $(key) interval 1 timeout $((5 * SLOW)) rise 2 fall 2 \
		>"$TMP/check" 2>&1
	checker=$spawned
	ok "$1: the first node dies" "$2" 1
	ok "$1: it is taken out" wait_for 10 state_is 1 down
	is "$1: all goes through the other" "$(nodes_of 8 2>&1)" "node2-$f=8"
	ok "$1: it comes back" "$3" 1 80
	ok "$1: it is taken in" wait_for 10 state_is 1 up
	is "$1: both have their share" "$(nodes_of 8 2>&1)" \
		"node1-$f=4 node2-$f=4"
	is "$1: the check tells what it did" "$(cat "$TMP/check")" \
		"server down $(key) $(node_address 1):80
server up $(key) $(node_address 1):80"
	stop "$checker"
}

# set KEYWORD VALUE: of the listener.
set_listener() {
	# shellcheck disable=SC2046 # words are meant to split
	clb listener set $(key) "$@"
}

told_by_one() { # who the client was to the servers of one request
	forget 3
	web red.example / >/dev/null && wait_for 10 logged 3 1 &&
		awk '{print $1}' "$TMP/s3/forwarded.log"
}

told_of_node() { # and where the node itself is the client
	forget 3
	in_node curl -sSf -m "$((10 * SLOW))" -H "Host: red.example" \
		"http://$vip_host/" >/dev/null && wait_for 10 logged 3 1 &&
		awk '{print $1}' "$TMP/s3/forwarded.log"
}

omitted() { clb_get .client_address_omitted stats; }
node_of_client() { # the node's address that clients on it have
	if [ "$f" = 4 ]; then echo "$NODE_FRONT4"; else echo "$NODE_FRONT6"; fi
}

# Servers are told the client because its SYN tells clbd, and by nothing else.
test_client() {
	local label="fnat IPv$f"

	is "$label: each SYN had room" "$(omitted)" 0
	ok "$label: the fast path is off" clb settings set fast-path off
	is "$label: the client" "$(told_by_one 2>&1)" "$client"
	clb settings set fast-path on
	# what the node sends is complete: the servers' kernels look at it
	in_node ethtool -K back tx off >/dev/null
	is "$label: the client, checksums made by the node" \
		"$(told_by_one 2>&1)" "$client"
	ip -n "$NS-node" route add "$vip" dev front src "$(node_of_client)"
	is "$label: a client on the node" "$(told_of_node 2>&1)" \
		"$(node_of_client)"
	ip -n "$NS-node" route del "$vip" dev front
	in_node ethtool -K back tx on >/dev/null
	ok "$label: by the SYN no more" set_listener client-address off
	is "$label: then it is the local address" "$(told_by_one 2>&1)" "$pool"
}

for mode in nat fnat dr tun; do
	part "$mode" || continue
	for f in 4 6; do
		family "$f"
		test_rules "$mode"
		[ "$mode" != fnat ] || test_client
	done
done

if part death; then
	family 4
	add nat
	test_death "killed, nat IPv4" kill_clbd start_clbd
	family 6
	add tun
	test_death "silent, tun IPv6" silence speak
fi

# One round, in which a result counts at once.
check_once() { # [KEYWORD VALUE]...
	clb check rise 1 fall 1 timeout "$((10 * SLOW))" --count 1 "$@"
}
act() { # VERB NUMBER
	# shellcheck disable=SC2046 # words are meant to split
	clb server "$1" $(key) "$(node_address "$2"):80"
}

is_asked() { # NUMBER: a probe of it is under way
	in_node ss -Htn state syn-sent |
		grep -qF "$(node_address "$1"):80"
}

states() { # that servers have
	# shellcheck disable=SC2046 # words are meant to split
	clb -j server show $(key) | jq -c 'map(.state) | unique'
}

add_ports() { # COUNT: servers that are all the second node
	local i

	for ((i = 1; i <= $1; i++)); do
		echo "server add $(key) $(node_address 2):$((9000 + i))"
	done | clb restore --add
}

if part check; then
	family 4
	add nat
	act down 1
	check_once >"$TMP/check"
	is "check: what an operator took out stays out" \
		"$(state_of 1), $(state_of 2)$(cat "$TMP/check")" "down, up"
	check_once adopt on >"$TMP/check"
	is "check: adopt: it is taken in" "$(state_of 1), $(state_of 2)" "up, up"
	act drain 1
	check_once port 81 >"$TMP/check"
	is "check: drain is left alone; another port is asked" \
		"$(state_of 1), $(state_of 2)" "drain, down"
	act up 1
	act up 2
	silence 1
	spawn clb check rise 1 fall 1 timeout "$((5 * SLOW))" --count 1 \
		>"$TMP/check" 2>&1
	ok "check: a round is under way" wait_for 10 is_asked 1
	act drain 1
	ok "check: it ends" wait "$spawned"
	speak 1
	is "check: what an operator says meanwhile holds" \
		"$(state_of 1)$(cat "$TMP/check")" drain
	act up 1
	add_ports 40
	(ulimit -n 12; check_once port 80) >"$TMP/check" 2>&1
	is "check: with few files, all are asked in turn" \
		"$(cat "$TMP/check"), $(states)" ', ["up"]'
	(ulimit -n 12; check_once port 81) >"$TMP/check" 2>&1
	is "check: all of them" "$(states)" '["down"]'
	add nat
	is "check: JSON" "$(clb -j check port 81 rise 1 fall 1 --count 1 |
		jq -r '"\(.listener.port) \(.address) \(.state)"')" \
		"80 $(server4 1) down
80 $(server4 2) down"
fi
done_testing
