#!/bin/bash
# SPDX-License-Identifier: MIT
# Transactions: who owns one and what others see of it (transaction.py);
# save and restore; whole configurations swapped under a thousand connections
# (connections.py). Topology: lib.sh.
. "$(dirname "$0")/lib.sh"

SWAPS=$(size 100 20) HELD=$(size 1000 100)
SMALL=$(size 1000 100)
readonly ECHO_PORT=7000 SWAPS HELD SMALL LARGE=$((10 * SMALL))

topo_up 2 || exit 1

# conf FIRST LAST WEIGHT OPTION...: a listener on each of the ports.
conf() {
	local port first=$1 last=$2 weight=$3 one two

	one=$(server4 1) two=$(server4 2)
	shift 3
	for ((port = first; port <= last; port++)); do
		echo "listener add tcp $VIP4:$port $*"
		echo "server add tcp $VIP4:$port $one:$port weight $weight"
		echo "server add tcp $VIP4:$port $two:$port weight $weight"
	done
}

conf 1000 1150 10 scheduler rr persistence 10 >"$TMP/a"
conf 1100 1300 20 scheduler lc persistence 20 >"$TMP/b"
! part sockets ||
	relay "$SELFTESTS/transaction.py" "$NS-node" "$CLBCTL" \
		"$TMP/a" "$TMP/b"

# --- save and restore --------------------------------------------------------

# refused STATUS LINE:TEXT: restore of standard input fails so and changes
# nothing.
refused() {
	local rc=0

	cat >"$TMP/bad"
	clb restore "$TMP/bad" >"$TMP/stdout" 2>"$TMP/stderr" || rc=$?
	clb save >"$TMP/after"
	if [ "$rc" = "$1" ] && grep -qF -- "$TMP/bad:$2" "$TMP/stderr" &&
	   diff "$TMP/saved" "$TMP/after" >"$TMP/diff"; then
		pass "restore names the line at fault: $2"
	else
		fail "restore names the line at fault: $2"
		diag "exit $rc:" "$(cat "$TMP/stderr" "$TMP/diff")"
	fi
}
# What the kernel tells of the configuration; save may leave things out.
told() {
	local what

	for what in local listener server acl; do
		clb -j "$what" show
	done | jq 'map(del(.sessions, .sessions_total, .in_packets, .in_bytes,
		.out_packets, .out_bytes, .drops, .active, .inactive))'
}

test_save() {
	cat >"$TMP/full" <<-CONF
		# every object, both families
		local add 198.51.100.1
		local add 2001:db8:5::1
		listener add tcp $VIP4:80 mode fnat scheduler wlc rate 10m burst 200k
		server add tcp $VIP4:80 $(server4 1):8080 weight 7 max-sessions 99
		server add tcp $VIP4:80 $(server4 2):8080 state drain drain-timeout 600
		acl add tcp $VIP4:80 192.0.2.0/24 10.0.0.0/8 198.51.100.77
		listener set tcp $VIP4:80 acl allow
		listener add udp [$VIP6]:53 scheduler mh hash tuple timeout-udp 33
		server add udp [$VIP6]:53 [$(server6 1)]:53 weight 0
		acl add udp [$VIP6]:53 2001:db8::/32 ::/0
		listener set udp [$VIP6]:53 acl deny
		listener add tcp [$VIP6]:all mode dr persistence 60 persistence-prefix 64
		server add tcp [$VIP6]:all $(server6 1)
		server add tcp [$VIP6]:all $(server6 2) state down
		listener add tcp $VIP4:81 mode tun scheduler fo timeout-syn 5 timeout-fin 6 timeout-established 70 reset off slow-start 30
		server add tcp $VIP4:81 $(server4 1)
		server add tcp $VIP4:81 $(server6 1)
		listener set tcp $VIP4:81 max-sessions 1000 max-new-sessions 2000
	CONF
	ok "a configuration with all there is" clb restore "$TMP/full"
	clb save >"$TMP/saved"
	is "it has every server" "$(grep -c '^server add' "$TMP/saved")" 7
	is "and every local address" "$(grep -c '^local add' "$TMP/saved")" 2
	told >"$TMP/told"
	clb restore "$TMP/saved"
	clb save >"$TMP/again"
	ok "save, restore, save: the same over itself" diff "$TMP/saved" "$TMP/again"
	ok "flush" clb flush
	is "flush leaves nothing" "$(clb save)" ""
	ok "restore from a pipe" sh -c \
		"ip netns exec $NS-node $CLBCTL restore - <$TMP/saved"
	clb save >"$TMP/again"
	ok "save, flush, restore, save: the same" diff "$TMP/saved" "$TMP/again"
	told >"$TMP/again"
	ok "save and restore: the kernel tells the same" \
		diff "$TMP/told" "$TMP/again"
}

stdin_refused() { # [FILE]
	! printf '%s\n' "listener add tcp $VIP4:90" "" \
		"server add tcp $VIP4:91 198.51.100.1" |
		clb restore ${1:+"$1"} 2>"$TMP/stderr" &&
		grep -F "<stdin>:3: No such file or directory: no such listener" \
			"$TMP/stderr"
}

test_refused() {
	refused 2 "3: " <<-CONF
		listener add tcp $VIP4:90
		# a comment
		listener add tcp $VIP4:91 colour blue
	CONF
	refused 1 "2: " <<-CONF
		listener add tcp $VIP4:90
		listener add tcp $VIP4:90
		listener add tcp $VIP4:91
	CONF
	ok "restore of standard input names the line, too" stdin_refused
	ok "restore -: the same" stdin_refused -
	refused 1 "4: No such file or directory: no such listener" <<-CONF
		listener add tcp $VIP4:90

		server add tcp $VIP4:90 $(server4 1):80
		server add tcp $VIP4:91 $(server4 1):80
	CONF
	refused 1 "2: " <<-CONF
		listener add tcp $VIP4:90
		acl add tcp $VIP4:90 10.0.0.0/8 192.0.2.0/24 10.0.0.0/8
	CONF
	refused 2 "1: " <<-CONF
		settings set max-sessions 5
	CONF
	{
		conf 1000 1999 1
		echo "listener del tcp $VIP4:5"
	} >"$TMP/long"
	refused 1 "3001: No such file or directory: no such listener" <"$TMP/long"
}

# --- sessions go on ----------------------------------------------------------

# Two configurations with the same two servers at port 80, by IPv4 and by IPv6,
# and little else.
echo_conf() { # OTHER_LISTENERS_FROM OPTION...
	local first=$1 weight

	shift
	weight=$((first % 100 + 1))
	cat <<-CONF
	listener add tcp $VIP4:80 $*
	server add tcp $VIP4:80 $(server4 1):$ECHO_PORT weight $weight
	server add tcp $VIP4:80 $(server4 2):$ECHO_PORT
	listener add tcp [$VIP6]:80 $*
	server add tcp [$VIP6]:80 [$(server6 1)]:$ECHO_PORT weight $weight
	server add tcp [$VIP6]:80 [$(server6 2)]:$ECHO_PORT
	CONF
	conf "$first" $((first + 20)) 5
}
generation() { # of the configuration in force
	PYTHONPATH=$SELFTESTS in_node /usr/bin/python3 -c \
		'import genl; print(genl.Genl().generation())'
}
# hold FAMILY COUNT: a client with so many connections.
declare -A vip=([4]=$VIP4 [6]=$VIP6) client=()
hold() {
	mkdir -p "$TMP/client$1"
	rm -f "$TMP/client$1/held" "$TMP/client$1/enough"
	spawn in_client "$SELFTESTS/connections.py" "${vip[$1]}" 80 "$2" \
		"$TMP/client$1" >"$TMP/client$1/output" 2>&1
	client[$1]=$spawned
}
held() { [ -e "$TMP/client$1/held" ]; }
client_done() { ! kill -0 "${client[$1]}"; }

swap_many() {
	local i

	for ((i = 0; i < SWAPS / 2; i++)); do
		clb restore "$TMP/b" && clb restore "$TMP/a" || return
	done
}

test_swaps() {
	local before established i

	echo_conf 1001 scheduler rr >"$TMP/a"
	{
		echo_conf 1010 scheduler wlc max-sessions 100000 timeout-established 800
		echo "local add 198.51.100.1"
		echo "acl add tcp $VIP4:80 10.0.0.0/8"
		echo "listener set tcp $VIP4:80 acl deny"
	} >"$TMP/b"
	for i in 1 2; do
		start_tcp "$i" "$ECHO_PORT" || exit 1
	done

	clb restore "$TMP/a"
	hold 4 $((HELD * 9 / 10))
	hold 6 $((HELD / 10))
	for i in 4 6; do
		ok "connections are open, IPv$i" wait_for 60 held "$i"
	done
	established=$(clb session count state established)
	ok "the node has as many sessions" [ "$established" -ge "$HELD" ]
	before=$(generation)
	ok "$SWAPS configurations take turns" swap_many
	is "each was in force" "$(($(generation) - before))" "$SWAPS"
	touch "$TMP"/client{4,6}/enough
	for i in 4 6; do
		ok "the client ends, IPv$i" wait_for 120 client_done "$i"
		relay cat "$TMP/client$i/output"
	done
}

# A server that is in the new configuration no more is another matter.
test_servers_gone() {
	hold 4 10
	ok "10 connections are open" wait_for 60 held 4
	ok "a configuration without the servers" clb flush
	touch "$TMP/client4/enough"
	ok "their client ends" wait_for 60 client_done 4
	ok "and has failed" grep -q '^not ok' "$TMP/client4/output"
}

# --- large ones --------------------------------------------------------------

many() { # COUNT
	awk -v n="$1" -v server="$(server4 1)" 'BEGIN {
		for (i = 0; i < n; i++) {
			key = sprintf("tcp 203.0.%d.%d:80", 120 + i / 250,
				      i % 250 + 1)
			print "listener add " key
			print "server add " key " " server ":80"
		}
	}'
}
microseconds() { # COMMAND...
	local begin=${EPOCHREALTIME/./}

	"$@" || return
	echo $((${EPOCHREALTIME/./} - begin))
}
restoring() { # FILE: into nothing
	clb flush && microseconds clb restore "$1"
}

test_large() {
	local small='' large='' took i

	many "$SMALL" >"$TMP/small"
	many "$LARGE" >"$TMP/large"
	# in turn, as the machine may have less to do later; the least of each
	for i in 1 2 3; do
		took=$(restoring "$TMP/small") || break
		[ "${small:-$took}" -lt "$took" ] || small=$took
		took=$(restoring "$TMP/large") || break
		[ "${large:-$took}" -lt "$took" ] || large=$took
		[ "$large" -gt $((small * 14)) ] || break
	done
	is "$LARGE listeners in one transaction" \
		"$(clb save | grep -c '^listener add')" "$LARGE"
	diag "$SMALL listeners in $small us, $LARGE in $large us"
	ok "ten times the listeners take at most 14 times as long" \
		[ "$large" -le $((small * 14)) ]
}

if part save; then
	test_save
	test_refused
fi
if part swaps; then
	test_swaps
	test_servers_gone
fi
! part large || test_large
done_testing
