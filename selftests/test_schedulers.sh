#!/bin/bash
# SPDX-License-Identifier: MIT
# Which server a new session gets, for each scheduler: from the session table,
# after one datagram of each of many made-up clients. The servers, too, are
# made up: what the node sends them ends in a dummy device. Topology: lib.sh.
. "$(dirname "$0")/lib.sh"

topo_up 1 || exit 1
node_sink
start_raw || exit 1

# family 4 or 6: what the words below stand for.
family() {
	vip_of "$1"
	servers=10.9.0. stranger=10.20.0.1
	[ "$1" = 4 ] || servers=2001:db8:9:: stranger=2001:db8:20::1
}
family 4
# server N: its address. key PORT: the listener at that port.
server() { echo "$servers$1"; }
key() { echo udp "$vip_host:$1"; }

# listener PORT WEIGHTS KEYWORD...: servers 1, 2... in one transaction.
listener() {
	local port=$1 weights=$2 weight n=0

	shift 2
	{
		echo "listener add $(key "$port") $*"
		for weight in $weights; do
			n=$((n + 1))
			echo "server add $(key "$port") $(server "$n") weight $weight"
		done
	} | clb restore --add
}

# equal N: N weights of 100.
equal() { yes 100 | head -n "$1" | xargs; }

# send PORT COUNT [CLIENT [FIRST_PORT]]
send() { tell raw udp "$vip" "$1" "$2" "${3:-$stranger}" "${@:4}"; }

# All sessions of a port, in the order of clients, which is that of sending:
# "client port server".
sessions() {
	clb -j session show listener udp "$vip_host:$1" | jq -r '
		map(select(.state != "persistence")) |
		sort_by((.client_address | split(".") | map(tonumber? // .)),
			.client_port) | .[] |
		"\(.client_address) \(.client_port) \(.server_address)"'
}
servers_of() { awk '{ sub(/.*[.:]/, "", $3); print "s" $3 }'; }
chosen() { sessions "$1" | servers_of; }
forget() { clb session del listener udp "$vip_host:$1"; }

# A listing has sessions once all that was sent has come.
complete() { # PORT FILE COUNT
	sessions "$1" >"$2"
	[ "$(wc -l <"$2")" -eq "$3" ]
}

chosen_of() { # PORT COUNT: as many as there have to be
	wait_for 20 complete "$1" "$TMP/chosen" "$2"
	servers_of <"$TMP/chosen"
}

# chosen_by PORT COUNT [CLIENT [FIRST_PORT]]: spread of new sessions.
chosen_by() {
	forget "$1"
	send "$@" >/dev/null
	chosen_of "$1" "$2" | spread
}

# evenly PORT PERIOD: the choice repeats after PERIOD sessions, and no server
# is found 1.5 times more or less often in any window than its share.
evenly() {
	chosen "$1" | awk -v period="$2" '
	{ seen[NR] = $1; all[$1] }
	NR > period && $1 != seen[NR - period] { bad = 1; print "no period" }
	NR <= period { share[$1] += 1 / period }
	END {
		for (s in all) for (from = 1; from <= period; from++) {
			n = 0
			for (k = 1; k <= period && from + k - 1 <= NR; k++) {
				n += seen[from + k - 1] == s
				d = n - k * share[s]
				if (d > 1.5 || d < -1.5) {
					bad = 1; print s, n, "in", k
				}
			}
		}
		exit bad
	}'
}

# --- things that take time are begun first ---------------------------------

readonly RAMP=12 SLOW_PORTS="21 22 23 24" KEEP=15
clb restore --add <<-END || exit 1
$(for p in $SLOW_PORTS; do
	scheduler=(rr wrr wlc lc)
	echo "listener add $(key "$p") scheduler ${scheduler[p - 21]} slow-start $RAMP"
	echo "server add $(key "$p") $(server 1)"
	echo "server add $(key "$p") $(server 2) state down"
done)
END
old_since=$SECONDS
listener 31 "$(equal 3)" scheduler rr persistence "$KEEP" timeout-udp 900 ||
	exit 1
send 31 1 10.20.5.1 1000 >/dev/null
kept_since=$SECONDS
kept_server=$(chosen_of 31 1)

# --- rounds ------------------------------------------------------------------

test_rounds() {
	ok "rr: three servers" listener 1 "$(equal 3)" scheduler rr
	is "rr: each has its turn, exactly" "$(chosen_by 1 30)" "s1=10 s2=10 s3=10"
	ok "rr: one after the other" evenly 1 3

	ok "wrr: weights 5, 3, 1" listener 2 "50 30 10" scheduler wrr
	is "wrr: exact over whole rounds" "$(chosen_by 2 27)" "s1=15 s2=9 s3=3"
	ok "wrr: evenly interleaved" evenly 2 9
	ok "wrr: odd weights" listener 3 "997 3 0 500" scheduler wrr
	is "wrr: exact over one long round" "$(chosen_by 3 1500)" \
		"s1=997 s2=3 s4=500"
	ok "wrr: a weight of 0 is set" clb server set udp "$VIP4:2" \
		"$(server 1)" weight 0
	is "wrr: the others share" "$(chosen_by 2 16)" "s2=12 s3=4"
}

# --- least sessions ----------------------------------------------------------

# near MAX GOT WANT: two spreads of the same servers that differ by MAX at most
near() {
	awk -v max="$1" -v got="$2" -v want="$3" 'BEGIN {
		n = split(got, g); m = split(want, w)
		if (n != m) exit 1
		for (i = 1; i <= n; i++) {
			split(g[i], a, "="); split(w[i], b, "=")
			if (a[1] != b[1] || a[2] - b[2] > max || b[2] - a[2] > max)
				exit 1
		}
	}' || { echo "got $2, want $3 within $1"; return 1; }
}

test_least() {
	local got

	ok "lc: three servers" listener 4 "300 200 100" scheduler lc
	is "lc: all the same, whatever the weight" "$(chosen_by 4 30)" \
		"s1=10 s2=10 s3=10"
	ok "lc: sessions of one server end" clb session del \
		listener udp "$VIP4:4" server "$(server 2)"
	send 4 7 10.20.1.1 >/dev/null
	is "lc: it gets the next ones" "$(chosen_of 4 27 | spread)" \
		"s1=10 s2=7 s3=10"

	ok "wlc: weights 1, 2, 3" listener 5 "10 20 30" scheduler wlc
	got=$(chosen_by 5 60)
	ok "wlc: sessions follow the weights" near 1 "$got" "s1=10 s2=20 s3=30"
	ok "wlc: sessions of one server end" clb session del \
		listener udp "$VIP4:5" server "$(server 3)"
	send 5 12 10.20.1.1 >/dev/null
	ok "wlc: it gets the next ones" near 1 \
		"$(chosen_of 5 42 | spread)" "s1=10 s2=20 s3=12"
}

# --- Maglev ------------------------------------------------------------------

# chi_square PORT LIMIT WEIGHTS: is the spread one that chance explains?
# Sums up (got - expected)^2 / expected. Clients and keys are always the same,
# so this is no matter of luck.
chi_square() {
	chosen "$1" | awk -v limit="$2" -v weights="$3" '
	{ n[$1]++ }
	END {
		k = split(weights, w)
		for (i = 1; i <= k; i++) sum += w[i]
		for (i = 1; i <= k; i++) {
			e = NR * w[i] / sum
			x += (n["s" i] - e) ^ 2 / e
		}
		print "chi-square", x, "limit", limit, "of", NR
		exit !(NR > 0 && x < limit)
	}'
}

# moved BEFORE AFTER [GONE]: how many clients of other servers changed theirs,
# in 1/1000; all clients must be there.
moved() {
	awk -v gone="${3:-none}" '
	NR == FNR { before[$1 " " $2] = $3; n++; next }
	{ m++ }
	before[$1 " " $2] != gone {
		all++
		if (before[$1 " " $2] != $3) other++
	}
	$3 == gone { bad = 1 }
	END {
		if (n != m || !n || bad) print "not comparable:", n, m, bad
		else printf "%d\n", (other * 1000 + all - 1) / all
	}' "$1" "$2"
}

# keep PORT NAME COUNT: maps COUNT clients, kept in the file NAME.
keep() {
	forget "$1"
	send "$1" "$3" >/dev/null
	wait_for 20 complete "$1" "$TMP/$2" "$3"
}

at_most() { [ "$1" -le "$2" ] || { echo "$1 of 1000"; return 1; }; }

test_maglev_keys() {
	ok "mh: ten servers, by source" listener 6 "$(equal 10)" scheduler mh
	is "mh source: a client has one server" \
		"$(chosen_by 6 40 10.20.0.1 10000 | wc -w)" 1
	ok "mh: ten servers, by tuple" listener 7 "$(equal 10)" \
		scheduler mh hash tuple
	is "mh tuple: each port may have another" \
		"$(chosen_by 7 200 10.20.0.1 10000 | wc -w)" 10
	ok "mh: weights 1 to 4" listener 8 "100 200 300 400" \
		scheduler mh hash tuple
	chosen_by 8 4000 10.20.0.1 10000 >/dev/null
	ok "mh: weights are respected" chi_square 8 16.3 "1 2 3 4"
}

test_maglev_order() {
	local n

	keep 6 forward 500
	ok "mh: the same servers in another order" clb restore --add <<-END
	listener add $(key 9) scheduler mh
	$(for n in 7 3 10 1 2 9 8 4 6 5; do
		echo "server add $(key 9) $(server "$n") weight 100"
	done)
	END
	keep 9 backward 500
	is "mh: the order makes no difference" \
		"$(moved "$TMP/forward" "$TMP/backward")" 0
}

# PORT SERVERS CLIENTS: one of them leaves and comes back.
test_maglev_leaves() {
	local who

	who=$(server "$(($2 / 3))")
	keep "$1" before "$3"
	ok "mh $2: one server leaves" clb server del udp "$VIP4:$1" "$who"
	keep "$1" after "$3"
	ok "mh $2: at most 1 % of other clients move" \
		at_most "$(moved "$TMP/before" "$TMP/after" "$who")" 10
	ok "mh $2: it comes back" clb server add udp "$VIP4:$1" "$who"
	keep "$1" again "$3"
	is "mh $2: everything is as it was" \
		"$(moved "$TMP/before" "$TMP/again")" 0
}

test_maglev() {
	test_maglev_keys
	test_maglev_order
	ok "mh: 100 servers" listener 10 "$(equal 100)" scheduler mh
	test_maglev_leaves 10 100 6000
	# 99 degrees of freedom: 99 + 3 standard deviations
	ok "mh 100: evenly spread" chi_square 10 141 "$(equal 100)"
	forget 10
	ok "mh: 11 servers" listener 11 "$(equal 11)" scheduler mh
	test_maglev_leaves 11 11 2000
	forget 11
}

# --- failover ----------------------------------------------------------------

test_failover() {
	ok "fo: primary and secondary" listener 12 "100 200 50" scheduler fo
	is "fo: all to the primary" "$(chosen_by 12 5)" "s2=5"
	ok "fo: primary down" clb server down udp "$VIP4:12" "$(server 2)"
	is "fo: all to the secondary" "$(chosen_by 12 5)" "s1=5"
	ok "fo: secondary drains" clb server drain udp "$VIP4:12" "$(server 1)"
	is "fo: all to the third" "$(chosen_by 12 5)" "s3=5"
	ok "fo: primary up" clb server up udp "$VIP4:12" "$(server 2)"
	is "fo: all to the primary again" "$(chosen_by 12 5)" "s2=5"
}

# --- persistence -------------------------------------------------------------

bound() { # PORT: clients bound to a server
	clb_get length session show listener udp "$VIP4:$1" state persistence
}
nobody_bound() { [ "$(bound "$1")" = 0 ]; }

test_persistence() {
	ok "persistence: by /24" listener 32 "$(equal 3)" \
		scheduler rr persistence 600 persistence-prefix 24
	is "persistence: a client stays" \
		"$(chosen_by 32 6 10.20.6.1 1000 | sed 's/s[0-9]=//')" 6
	send 32 3 10.20.6.200 >/dev/null
	is "persistence: so do others of its prefix" \
		"$(chosen_of 32 9 | sort -u | wc -l)" 1
	is "persistence: one entry for all" "$(bound 32)" 1
	send 32 1 10.20.7.1 >/dev/null
	is "persistence: another prefix has another server" \
		"$(chosen_of 32 10 | sort -u | wc -l)" 2
	forget 32
	ok "persistence: two seconds" clb listener set udp "$VIP4:32" \
		persistence 2 timeout-udp 1
	send 32 1 10.20.6.1 >/dev/null
	ok "persistence: ends when no session is left" \
		wait_for 15 nobody_bound 32
	clb listener set udp "$VIP4:32" persistence 600 timeout-udp 90
	is "persistence: a client that is free has a turn like others" \
		"$(for i in 1 2 3; do
			chosen_by 32 1 10.20.6.1 $((2000 + i))
		done | sort -u | wc -l)" 3
}

# Its one session is open, though nothing was sent since.
older_than() { [ $((SECONDS - $1)) -gt "$2" ]; }
test_persistence_open() {
	wait_for 30 older_than "$kept_since" $((2 * KEEP))
	is "persistence: lasts while a session is open" "$(bound 31)" 1
	send 31 4 10.20.5.1 2000 >/dev/null
	is "persistence: the client stays with its server" \
		"$(chosen_of 31 5 | sort -u)" "$kept_server"
	ok "persistence: its server goes down" \
		clb server down udp "$VIP4:31" "$(server "${kept_server#s}")"
	forget 31
	send 31 4 10.20.5.1 3000 >/dev/null
	is "persistence: the client has one other server" \
		"$(chosen_of 31 4 | sort -u | grep -vc "$kept_server")" 1
}

# --- slow start --------------------------------------------------------------

count_of() { # PORT SERVER: its sessions
	clb_get length session show listener udp "$VIP4:$1" server "$(server "$2")"
}
fewer() { # PORT: of 60, server 2 has less than a third of what server 1 has
	local one two

	wait_for 20 complete "$1" "$TMP/chosen" 60 || return
	one=$(count_of "$1" 1) two=$(count_of "$1" 2)
	[ $((two * 3)) -lt "$one" ] || { echo "$two beside $one"; return 1; }
}

server2_gets() { # STATE
	local port

	for port in $SLOW_PORTS; do
		echo "server set $(key "$port") $(server 2) state $1"
	done | clb restore --add
}
# Server 2 comes up, and packets come within a sixth of its slow start; anew, where
# this machine was too slow for that.
slow_start_begins() {
	local port since try

	for try in 1 2 3 4 5; do
		since=$(now_ms)
		server2_gets up
		up_since=$SECONDS
		for port in $SLOW_PORTS; do
			send "$port" 60 >/dev/null
		done
		[ $(($(now_ms) - since)) -gt $((1000 * RAMP / 6)) ] || return 0
		diag "try $try: after $(($(now_ms) - since)) ms"
		[ "$try" -lt 5 ] || return
		server2_gets down
		for port in $SLOW_PORTS; do
			wait_for 20 complete "$port" "$TMP/chosen" 60
			forget "$port"
		done
	done
}

test_slow_start() {
	local up_since

	# server 1 is beyond its own slow start
	wait_for 30 older_than "$old_since" "$RAMP"
	slow_start_begins
	ok "slow start rr: few sessions at first" fewer 21
	ok "slow start wrr: few sessions at first" fewer 22
	ok "slow start wlc: few sessions at first" fewer 23
	ok "slow start lc: few sessions at first" fewer 24
	test_persistence_open
	wait_for 30 older_than "$up_since" "$RAMP"
	is "slow start rr: then its whole share" "$(chosen_by 21 60)" \
		"s1=30 s2=30"
	is "slow start wrr: then its whole share" "$(chosen_by 22 60)" \
		"s1=30 s2=30"
	send 23 60 10.20.1.1 >/dev/null
	is "slow start wlc: then as many as the other" \
		"$(chosen_of 23 120 | spread)" "s1=60 s2=60"
	send 24 60 10.20.1.1 >/dev/null
	is "slow start lc: then as many as the other" \
		"$(chosen_of 24 120 | spread)" "s1=60 s2=60"
}

# --- IPv6 ----------------------------------------------------------------------

# What differs is how an address becomes a key.
test_ipv6() {
	ok "rr IPv6: three servers" listener 1 "$(equal 3)" scheduler rr
	is "rr IPv6: each has its turn, exactly" "$(chosen_by 1 30)" \
		"s1=10 s2=10 s3=10"
	ok "mh IPv6: ten servers, by source" listener 6 "$(equal 10)" \
		scheduler mh
	chosen_by 6 1000 >/dev/null
	# 9 degrees of freedom, one in a hundred
	ok "mh IPv6: evenly spread" chi_square 6 21.7 "$(equal 10)"
	is "mh IPv6 source: a client has one server" \
		"$(chosen_by 6 40 "$stranger" 10000 | wc -w)" 1
	ok "mh IPv6: by tuple" listener 8 "$(equal 10)" scheduler mh hash tuple
	is "mh IPv6 tuple: each port may have another" \
		"$(chosen_by 8 200 "$stranger" 10000 | wc -w)" 10
}

family 6
! part ipv6 || test_ipv6
family 4
! part rounds || test_rounds
! part least || test_least
! part failover || test_failover
! part persistence || test_persistence
! part maglev || test_maglev
! part slow-start || test_slow_start
done_testing
