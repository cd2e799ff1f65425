#!/bin/bash
# SPDX-License-Identifier: MIT
# Who may open sessions and how many: ACLs, limits, what makes room when all is
# full, and the pool of FNAT. Every drop is counted twice, by its reason and at
# its listener. Topology: lib.sh; c1 has more addresses, .33 and ::33. Servers
# 10.9.0.x are made up.
. "$(dirname "$0")/lib.sh"

topo_up 2 || exit 1
node_sink
start_raw || exit 1
start_client
for i in 1 2; do
	start_tcp "$i" || exit 1
	start_udp "$i" || exit 1
done
readonly OTHER4=192.0.2.33 OTHER6=2001:db8:c::33
ip -n "$NS-c1" addr add "$OTHER4/24" dev eth0
ip -n "$NS-c1" addr add "$OTHER6/64" dev eth0 nodad

# family 4 or 6: what the words below stand for.
family() {
	f=$1
	vip_of "$1"
	here=$(client4 1) other=$OTHER4 made_up=10.9.0.1
	[ "$1" = 4 ] || here=$(client6 1) other=$OTHER6 made_up=2001:db8:9::1
	udp_key="udp $vip_host:$UDP_PORT" tcp_key="tcp $vip_host:7000"
	sink_key="udp $vip_host:99"
}
server() { if [ "$f" = 4 ]; then server4 "$1"; else server6 "$1"; fi; }
# stranger NETWORK: the first of many made-up clients
stranger() {
	if [ "$f" = 4 ]; then echo "10.$1.0.1"; else echo "2001:db8:$1::1"; fi
}

# configure LINE...: in place of what there was; no sessions are left.
configure() {
	printf '%s\n' "$@" | clb restore && clb session del
}

# dropped REASON COUNT KEY COMMAND...: COMMAND leads to so many drops.
drops_at() {
	# shellcheck disable=SC2086 # words are meant to split
	clb_get '.[].drops' listener show $1
}
drops_are() { # ALL OF-THE-LISTENER: of $reason and $key, or more
	[ "$(stat_of "drop_$reason")" -ge "$1" ] && [ "$(drops_at "$key")" -ge "$2" ]
}
# becomes NAME WANT COMMAND...: what COMMAND prints, once packets have come.
becomes() {
	wait_for 10 prints "${@:2}"
	is "$1" "$("${@:3}")" "$2"
}
prints() { [ "$("${@:2}")" = "$1" ]; }	# WANT COMMAND...
dropped() {
	local reason=$1 count=$2 key=$3 before listener

	shift 3
	before=$(stat_of "drop_$reason") listener=$(drops_at "$key")
	"$@"
	# what was sent may be on its way still
	wait_for 5 drops_are $((before + count)) $((listener + count))
	before=$(($(stat_of "drop_$reason") - before))
	listener=$(($(drops_at "$key") - listener))
	echo "$reason: $before, at the listener $listener, want $count"
	[ "$before" -eq "$count" ] && [ "$listener" -eq "$count" ]
}

client() { tell client "$@"; }

# --- ACL ---------------------------------------------------------------------

# 300 prefixes around the client .33, which is among them.
entries4() { seq -f "192.0.3.%g" 1 250; seq -f "10.%g.0.0/16" 0 59; echo "$OTHER4"; }
entries6() { seq -f "2001:db8:c:%g::/64" 1 300; echo "2001:db8:c::33"; }

# answered ADDRESS SOURCE, refused ADDRESS SOURCE KEY
answered() {
	[ "$(client uonce "$1" "$UDP_PORT" "$2")" = "s1 hello" ]
}
refuses() { [ "$(client usilent "$1" "$UDP_PORT" "$2")" = nothing ]; }
refused() { dropped acl 1 "$3" refuses "$1" "$2"; }

# shellcheck disable=SC2086,SC2046 # words are meant to split
test_acl() { # NETWORK, which is around both clients
	local name="acl IPv$f" key=$udp_key count

	configure "listener add $key mode nat" "server add $key $(server 1)"
	count=$("entries$f" | wc -l)
	ok "$name: $count entries" clb acl add $key $("entries$f")
	is "$name: all are there" \
		"$(clb_get '.[].acl_entries' listener show $key)" "$count"
	ok "$name: off: all may" answered "$vip" "$other"
	client uopen old "$vip" "$UDP_PORT" "$other" >/dev/null
	clb listener set $key acl deny
	ok "$name: deny: one in no entry may" answered "$vip" "$here"
	ok "$name: deny: one in an entry may not" refused "$vip" "$other" "$key"
	is "$name: deny: a session it has goes on" "$(client ask old)" "s1 hello"
	client close old >/dev/null
	clb listener set $key acl allow
	ok "$name: allow: one in an entry may" answered "$vip" "$other"
	ok "$name: allow: one in no entry may not" \
		refused "$vip" "$here" "$key"
	clb acl add $key "$1"
	ok "$name: allow: an entry around both" answered "$vip" "$here"
	clb acl del $key "$1"
	ok "$name: allow: it is gone again" refused "$vip" "$here" "$key"
	clb acl del $key "$other"
	ok "$name: allow: the other's too" refused "$vip" "$other" "$key"
	clb acl del $key all
	ok "$name: an empty allow list refuses all" \
		refused "$vip" "$other" "$key"
	clb listener set $key acl deny
	ok "$name: an empty deny list refuses nobody" answered "$vip" "$other"
}

# --- numbers -----------------------------------------------------------------

# shellcheck disable=SC2086 # a key is two words
test_listener_max() {
	configure "listener add $udp_key mode nat max-sessions 2" \
		"server add $udp_key $(server 1)"
	is "listener IPv$f: two sessions" \
		"$(client uopen a "$vip" "$UDP_PORT") $(client uopen b "$vip" "$UDP_PORT")" \
		"s1 hello s1 hello"
	ok "listener IPv$f: the third is refused" \
		dropped listener_limit 1 "$udp_key" \
		refuses "$vip" "$here"
	is "listener IPv$f: the first goes on" "$(client ask a)" "s1 hello"
	clb listener set $udp_key max-sessions 3
	ok "listener IPv$f: with a higher limit it may" answered "$vip" "$other"
}

# shellcheck disable=SC2086 # a key is two words
test_server_max() {
	configure "listener add $tcp_key mode nat scheduler rr" \
		"server add $tcp_key $(server 1) max-sessions 1" \
		"server add $tcp_key $(server 2) max-sessions 3"
	is "server IPv$f: the other takes what one cannot" \
		"$(client open a "$vip" 7000 4) $(client who a)" \
		"open 4 s1=1 s2=3"
	ok "server IPv$f: when all are full there is none" \
		dropped no_server 1 "$tcp_key" \
		tell raw syn "$vip" 7000 1 "$(stranger 20)"
	client close a rst >/dev/null
	clb session del >/dev/null
	is "server IPv$f: there is room again" "$(client open a "$vip" 7000 4)" \
		"open 4"
	client close a rst >/dev/null
}

# shellcheck disable=SC2086 # a key is two words
test_namespace_max() {
	local max

	max=$(clb_get .max_sessions settings)
	configure "listener add $udp_key mode nat" \
		"server add $udp_key $(server 1)"
	ok "namespace IPv$f: a limit of two" clb settings set max-sessions 2
	client uopen a "$vip" "$UDP_PORT" >/dev/null
	client uopen b "$vip" "$UDP_PORT" >/dev/null
	ok "namespace IPv$f: the third is refused" \
		dropped session_limit 1 "$udp_key" \
		refuses "$vip" "$here"
	is "namespace IPv$f: the first goes on" "$(client ask a)" "s1 hello"
	ok "namespace IPv$f: the old limit" clb settings set max-sessions "$max"
	ok "namespace IPv$f: with it there is room" answered "$vip" "$other"
}

# As many as the rate for each second and one second's worth at once, while more
# are tried all the time for three seconds. A pause counts as one second at the
# most: what would flow back later finds the bucket full.
test_new_rate() {
	local since before now step took=0 used=0 sent=0 created from

	from=$(stranger 20)
	configure "listener add $sink_key mode nat max-new-sessions 20" \
		"server add $sink_key $made_up"
	before=$(stat_of drop_new_rate)
	since=${EPOCHREALTIME//./}
	while [ "$used" -lt 3000000 ] && [ "$sent" -lt 60000 ]; do
		tell raw udp "$vip" 99 24 "$from" $((1024 + sent)) >/dev/null
		sent=$((sent + 24))
		now=$((${EPOCHREALTIME//./} - since))
		step=$((now - took)) took=$now
		used=$((used + (step < 1000000 ? step : 1000000)))
	done
	# what flowed back in the last step: no more than a second's
	tell raw udp "$vip" 99 24 "$from" $((1024 + sent)) >/dev/null
	sent=$((sent + 24))
	wait_for 10 all_judged $((sent + before))
	created=$(clb_get .count session count)
	took=$((${EPOCHREALTIME//./} - since))
	ok "new rate IPv$f: no fewer than 3/4 of what flows back" \
		[ $((created * 1000000)) -ge $((20 * 1000000 + 15 * used)) ]
	ok "new rate IPv$f: no more than allowed" \
		[ $((created * 1000000)) -le $((20 * took + 21 * 1000000)) ]
	is "new rate IPv$f: the others are counted" \
		"$(($(stat_of drop_new_rate) - before))" $((sent - created))
}

all_judged() { # HOW-MANY: made or dropped
	[ $(($(clb_get .count session count) + $(stat_of drop_new_rate))) -ge "$1" ]
}

# --- a flood -----------------------------------------------------------------

sessions_of() { # KEY [STATE]
	# shellcheck disable=SC2086 # a key is two words
	clb_get .count session count listener $1 ${2:+state "$2"}
}

# By its counter: a list of a flood takes its time.
sink_sessions() { clb_get '.[] | select(.protocol == "udp").sessions' listener; }

# A queue may be too short for a flood; what arrives is what counts, and all of
# it has when one look finds as many as the look before.
tcp_packets() { clb_get '.[] | select(.protocol == "tcp").in_packets' listener; }
all_arrived() {
	local last=$arrived

	arrived=$(tcp_packets)
	[ "$arrived" -gt "$began" ] && [ "$arrived" = "$last" ]
}

# Half-open sessions make room for each other and for real clients; those that
# are established stay. Also where the table is large and has few of them.
test_flood() { # LABEL LIMIT
	local arrived began evicted before

	is "$1: established connections" \
		"$(client open a "$vip" 7000 20)" "open 20"
	arrived=$(tcp_packets) evicted=$(stat_of sessions_evicted)
	began=$arrived
	before=$(stat_of "drop_$2")
	tell raw syn "$vip" 7000 3000 "$(stranger 21)" >/dev/null
	ok "$1: they arrive" wait_for 20 all_arrived
	arrived=$((arrived - began))
	evicted=$(($(stat_of sessions_evicted) - evicted))
	diag "$1: $arrived of 3000 arrived, $evicted made room"
	ok "$1: enough of them" [ "$arrived" -ge 500 ]
	ok "$1: half-open ones make room for others" \
		[ "$evicted" -ge $((arrived - 60)) ]
	is "$1: nobody was refused" "$(($(stat_of "drop_$2") - before))" 0
	is "$1: the table is full of them" "$(sessions_of "$tcp_key")" 60
	is "$1: established connections lose nothing" "$(client ping a)" 20
	is "$1: new clients get in" "$(client open b "$vip" 7000 10)" \
		"open 10"
	is "$1: and stay" "$(client ping b)" 10
	client close a rst >/dev/null
	client close b rst >/dev/null
}

# Who forges a SYN can forge what follows, but for the number of the server's that
# it acknowledges.
test_forged() { # LIMIT LABEL FLAGS...
	local limit=$1 label=$2 before

	shift 2
	is "$label: established connections" \
		"$(client open a "$vip" 7000 20)" "open 20"
	before=$(stat_of "drop_$limit")
	tell raw syn "$vip" 7000 500 "$(stranger 23)" "$@" >/dev/null
	is "$label: nobody is refused" "$(($(stat_of "drop_$limit") - before))" 0
	is "$label: new clients get in" "$(client open b "$vip" 7000 10)" \
		"open 10"
	is "$label: established connections lose nothing" "$(client ping a)" 20
	client close a rst >/dev/null
	client close b rst >/dev/null
	clb session del >/dev/null
}

test_floods() {
	local max

	configure "listener add $tcp_key mode nat max-sessions 60" \
		"server add $tcp_key $(server 1)"
	test_flood "flood IPv$f, listener" listener_limit
	test_forged listener_limit "flood IPv$f, SYN and FIN" FA
	test_forged listener_limit "flood IPv$f, SYN and RST" R
	test_forged listener_limit "flood IPv$f, SYN and ACK" A
	test_forged listener_limit "flood IPv$f, all of them" A SA FA R
	[ "$f" = 4 ] || return 0	# one way to be full stands for all
	max=$(clb_get .max_sessions settings)
	configure "listener add $tcp_key mode nat" \
		"server add $tcp_key $(server 1)"
	clb settings set max-sessions 60
	test_flood "flood IPv$f, namespace" session_limit
	test_forged session_limit "flood IPv$f, namespace, SYN and RST" R
	clb settings set max-sessions "$max"
	configure "listener add $tcp_key mode nat" \
		"server add $tcp_key $(server 1) max-sessions 60"
	test_flood "flood IPv$f, server" no_server
	configure "listener add $tcp_key mode nat max-sessions 60" \
		"server add $tcp_key $(server 1)" \
		"listener add $sink_key mode nat" "server add $sink_key $made_up"
	tell raw udp "$vip" 99 5000 "$(stranger 22)" >/dev/null
	becomes "flood IPv$f, large table: sessions of another listener" 5000 \
		sink_sessions
	test_flood "flood IPv$f, large table" listener_limit
	is "flood IPv$f, large table: the other listener lost none" \
		"$(sink_sessions)" 5000
}

# --- clients that are bound to a server ----------------------------------------

binding_ms() { # KEY: how long the longest one lasts
	# shellcheck disable=SC2086 # a key is two words
	clb_get 'map(.expires_ms) | max' session show listener $1 \
		state persistence
}
longer_than() { [ "$(binding_ms "$1")" -gt "$2" ]; }

# shellcheck disable=SC2086 # a key is two words
packets_in() { clb_get '.[].in_packets' listener show $1; }
more_in() { [ "$(packets_in "$1")" -ge "$2" ]; }

# Datagrams of made-up clients, as many as there is room for them and their
# bindings, which alone are left: 57 of 60.
fill_with_bindings() {
	local count in

	for count in 29 15 7 4 2; do
		in=$(packets_in "$sink_key")
		tell raw udp "$VIP4" 99 "$count" "10.28.$count.1" >/dev/null
		wait_for 10 more_in "$sink_key" $((in + count)) || return
		# shellcheck disable=SC2086 # a key is two words
		clb session del listener $sink_key state udp-new
	done
}

# How many servers two clients of one /64 have, asking in turn.
servers_of_two() {
	local source

	for source in "$here" "$other" "$here" "$other"; do
		client uonce "$vip" "$UDP_PORT" "$source"
	done | sort -u | grep -c hello
}
test_prefix() {
	local bound="scheduler rr persistence 600"

	configure "listener add $udp_key $bound persistence-prefix 64" \
		"server add $udp_key [$(server6 1)]:$UDP_PORT" \
		"server add $udp_key [$(server6 2)]:$UDP_PORT"
	is "binding: an IPv6 network has one server" "$(servers_of_two)" 1
	# shellcheck disable=SC2086 # a key is two words
	clb listener set $udp_key persistence-prefix 128
	is "binding: by address each client has its own" "$(servers_of_two)" 2
}

test_bindings() {
	local max bound="persistence 600 timeout-udp 100"

	configure "listener add $udp_key mode nat $bound" \
		"server add $udp_key $(server4 1)" \
		"listener add $sink_key mode nat $bound" \
		"server add $sink_key 10.9.0.1"
	tell raw udp "$VIP4" 99 2 10.27.0.1 2000 >/dev/null
	becomes "binding: a datagram" 1 sessions_of "$sink_key" persistence
	not_ok "binding: a datagram without an answer: as long as its session" \
		longer_than "$sink_key" 100000
	is "binding: an answer" "$(client uopen u "$VIP4" "$UDP_PORT")" "s1 hello"
	not_ok "binding: to who may not get it: as long as its session" \
		longer_than "$udp_key" 100000
	is "binding: another question" "$(client ask u)" "s1 hello"
	ok "binding: makes it last the full time" longer_than "$udp_key" 500000
	client close u >/dev/null
	configure "listener add $tcp_key mode nat persistence 600 timeout-syn 5" \
		"server add $tcp_key $(server4 1)"
	tell raw syn "$VIP4" 7000 2 10.27.0.1 FA A >/dev/null
	becomes "binding: a forged SYN, FIN and ACK" 2 \
		sessions_of "$tcp_key" persistence
	not_ok "binding: for as long as a half-open connection lasts" \
		longer_than "$tcp_key" 5000
	is "binding: a connection" "$(client open b "$VIP4" 7000)" "open 1"
	ok "binding: for the full time" longer_than "$tcp_key" 500000
	client close b rst >/dev/null
	configure "listener add $sink_key mode dr $bound" \
		"server add $sink_key 10.9.0.1" \
		"listener add $tcp_key mode nat" "server add $tcp_key $(server4 1)"
	tell raw udp "$VIP4" 99 1 10.27.0.1 >/dev/null
	ok "binding: in DR no answer is seen: the full time" \
		wait_for 10 longer_than "$sink_key" 500000
	max=$(clb_get .max_sessions settings)
	clb settings set max-sessions 60
	fill_with_bindings
	ok "binding: forged datagrams fill the namespace" \
		[ "$(sessions_of "$sink_key" persistence)" -ge 55 ]
	is "binding: then they make room for real clients" \
		"$(client open b "$VIP4" 7000 20) $(client ping b)" "open 20 20"
	client close b rst >/dev/null
	clb settings set max-sessions "$max"
}

# --- the pool of FNAT --------------------------------------------------------

FLOOD_BIN=${FLOOD_BIN:-$TOP/build/flood}
pool_sessions() { clb_get '.[].sessions' local show; }

# pool_is_full KIND PORT: one packet from each of so many clients as there are
# ports left; one more would make room. What is lost is sent by others.
pool_is_full() {
	local missing=$((64512 - $(pool_sessions)))

	network=$((network + 1))
	[ "$missing" -eq 0 ] || in_client "$FLOOD_BIN" "$1" "$VIP4" "$2" \
		"$missing" "10.$network.0.1" "$missing" >/dev/null
	[ "$(pool_sessions)" -eq 64512 ]
}
event_seen() { grep -q '"event":"pool-exhausted"' "$TMP/events"; }
pool_is_empty() { [ "$(pool_sessions)" -eq 0 ]; }

test_pool() {
	local network=40

	configure "local add $NODE_BACK4" \
		"listener add $sink_key mode fnat scheduler rr timeout-udp 300" \
		"server add $sink_key 10.9.0.1" "server add $sink_key 10.9.0.2"
	tell raw udp "$VIP4" 99 600 10.20.0.1 >/dev/null
	becomes "pool: ports are unique for a server" 600 clb_get \
		'map("\(.server_address) \(.local_port)") | unique | length' \
		session show
	configure "local add $NODE_BACK4" \
		"listener add $sink_key mode fnat scheduler rr timeout-udp 300" \
		"server add $sink_key 10.9.0.1"
	ok "pool: every port is used towards one server" \
		wait_for 60 pool_is_full udp 99
	# every local port is in use, so this one is used twice
	# shellcheck disable=SC2086 # a key is two words
	clb server add $sink_key 10.9.0.2
	# shellcheck disable=SC2086 # a key is two words
	clb server set $sink_key 10.9.0.1 weight 0
	tell raw udp "$VIP4" 99 1 10.26.0.2 >/dev/null
	becomes "pool: the same port serves another server" 64513 pool_sessions
	# shellcheck disable=SC2086 # a key is two words
	clb server set $sink_key 10.9.0.2 weight 0
	# shellcheck disable=SC2086 # a key is two words
	clb server set $sink_key 10.9.0.1 weight 100
	spawn clb -j monitor >"$TMP/events"
	ok "pool: clbctl monitor listens" wait_for 20 hears "$TMP/events"
	ok "pool: then a client is refused and counted" \
		dropped pool_exhausted 1 "$sink_key" \
		tell raw udp "$VIP4" 99 1 10.26.0.1
	ok "pool: that is announced" wait_for 5 event_seen
	stop "$spawned"
	ok "pool: sessions end" clb session del
	ok "pool: their ports are free" wait_for 10 pool_is_empty
	tell raw udp "$VIP4" 99 4 10.26.0.3 >/dev/null
	becomes "pool: and taken again" 4 pool_sessions
}

# The server's ports are taken by a flood while it cannot be reached. Its SYN finds a
# client no port, but the next one it sends does; whichever listener was flooded.
test_pool_flood() {
	local network=50 refused

	configure "local add $NODE_BACK4" \
		"listener add $tcp_key mode fnat timeout-syn 900" \
		"server add $tcp_key 10.9.0.1:7000" \
		"listener add tcp $VIP4:7001 mode fnat" \
		"server add tcp $VIP4:7001 10.9.0.1:7000"
	ok "pool, flood: half-open sessions have every port" \
		wait_for 60 pool_is_full syn 7000
	ip -n "$NS-s1" addr add 10.9.0.1/32 dev lo
	ip -n "$NS-node" route add 10.9.0.1/32 via "$(server4 1)"
	refused=$(stat_of drop_pool_exhausted)
	is "pool, flood: they make room for a client that tries again" \
		"$(client open a "$VIP4" 7001)" "open 1"
	ok "pool, flood: its first try was refused and counted" \
		[ "$(stat_of drop_pool_exhausted)" -gt "$refused" ]
	is "pool, flood: so they do at their own listener" \
		"$(client open b "$VIP4" 7000)" "open 1"
	client close a rst >/dev/null
	client close b rst >/dev/null
}

family 4
! part acl4 || test_acl 192.0.2.0/24
family 6
! part acl6 || test_acl 2001:db8:c::/64
! part prefix || test_prefix
for i in 4 6; do
	family "$i"
	! part listener || test_listener_max
	! part server || test_server_max
	! part namespace || test_namespace_max
	! part rate || test_new_rate
	! part floods || test_floods
done
family 4
! part bindings || test_bindings
! part pool || test_pool
! part poolflood || test_pool_flood
done_testing
