#!/bin/bash
# SPDX-License-Identifier: MIT
# The netlink interface: bad input of every kind is refused, explained and
# changes nothing (netlink.py); who may do what; events; how clbctl fails.
# Topology: lib.sh; no packet is sent. clbctl runs with sanitizers.
given=${CLBCTL:-}
. "$(dirname "$0")/lib.sh"
CLBCTL=${given:-$(sanitized clbctl)}

topo_up 1 || exit 1

relay "$SELFTESTS/netlink.py" "$NS-node" "$CLBCTL"

# exits STATUS TEXT ARGUMENT...: clbctl ends so and says TEXT, on stderr.
exits() {
	local want=$1 text=$2 rc=0

	shift 2
	clb "$@" >"$TMP/stdout" 2>"$TMP/stderr" </dev/null || rc=$?
	if [ "$rc" = "$want" ] && grep -qF -- "$text" "$TMP/stderr" &&
	   [ ! -s "$TMP/stdout" ]; then
		pass "clbctl exits with $want: $*"
	else
		fail "clbctl exits with $want: $*"
		diag "exit $rc, wanted '$text':" "$(cat "$TMP/stderr")"
	fi
}

ok "a listener for what follows" clb listener add tcp "$VIP4:80"
ok "a server for what follows" clb server add tcp "$VIP4:80" 198.51.100.11
exits 2 "unknown command 'frob'" frob
exits 2 "frob" listener add tcp "$VIP4:81" frob 1
exits 2 "not one of nat, fnat, dr, tun" listener add tcp "$VIP4:81" mode x
exits 2 "too large" server add tcp "$VIP4:80" 198.51.100.12 weight 70000
exits 2 "203.0.113.300" listener add tcp 203.0.113.300:80
exits 2 "value missing" listener set tcp "$VIP4:80" mode
exits 1 "listener add: tcp $VIP4:80: File exists" listener add tcp "$VIP4:80"
exits 1 "no such listener" listener del tcp "$VIP4:81"
exits 1 "no such server" server del tcp "$VIP4:80" 198.51.100.12
exits 1 "server exists" server add tcp "$VIP4:80" 198.51.100.11
exits 1 "no such local address" local del 198.51.100.9
exits 1 "no such ACL entry" acl del tcp "$VIP4:80" 10.0.0.0/8
exits 1 "timeout-syn" listener set tcp "$VIP4:80" timeout-syn 901
exits 1 "rate needs mode nat or fnat" \
	listener add tcp "$VIP4:81" mode dr rate 1m
exits 1 "client-address needs protocol tcp and mode fnat" \
	listener add tcp "$VIP4:81" client-address on
exits 1 "not of the listener's family" \
	server add tcp "$VIP4:80" "[2001:db8:5::11]:80"
exits 1 "module parameter" settings set max-sessions 4294967295

# aligned HEADING WORD...: in the table, values stand below their heading.
aligned() {
	clb "${@:2}" | awk -v heading="$1" '
		{ print }
		NR == 1 { at = index($0, heading); next }
		substr($0, at - 1, 1) != " " || substr($0, at, 1) == " " { bad = 1 }
		END { exit bad || NR != 3 || at < 2 }'
}
printf '%s\n' "listener add udp [$VIP6]:53 rate 12m max-sessions 7" \
	"server add udp [$VIP6]:53 [2001:db8:5::11] state drain" |
	clb restore --add
ok "clbctl listener: an aligned table" aligned SCHEDULER listener
ok "clbctl server: an aligned table" aligned STATE server

# All that shows something speaks JSON, and nothing else.
printf '%s\n' "local add 198.51.100.1" "acl add tcp $VIP4:80 192.0.2.0/24" |
	clb restore --add
json() { clb -j "$@" >"$TMP/json" && jq -es 'length == 1' "$TMP/json"; }
for words in "listener" "listener show tcp $VIP4:80" "server" \
	"server show tcp $VIP4:80 198.51.100.11" "acl" "acl show tcp $VIP4:80" \
	"local" "settings" "session" "session count" "stats" "stats -a" \
	"stats listener" "stats server" "save" "version" "-V"; do
	# shellcheck disable=SC2086 # words are meant to split
	ok "clbctl -j $words: JSON" json $words
done
counters=$(sed -n '/^enum clb_stats_attr/,/^}/s/^\tCLB_STATS_A_\(.*\),$/\1/p' \
	"$TOP/include/uapi/linux/clb.h" | tr '[:upper:]' '[:lower:]' |
	grep -vx -e unspec -e pad)
is "clbctl stats shows every counter there is" \
	"$(clb stats -a | awk '{gsub("-", "_"); print $1}')" "$counters"
spawn clb -j monitor --count 3 >"$TMP/events"
events_read() { ! kill -0 "$spawned" 2>/dev/null; }
one_change() { clb settings set fast-path on && events_read; }
ok "clbctl -j monitor: ends after so many events" wait_for 20 one_change
is "clbctl -j monitor: one JSON object a line" \
	"$(jq -c '.event' "$TMP/events" | wc -l) $(wc -l <"$TMP/events")" "3 3"

# The module goes and comes while somebody listens.
spawn clb monitor >"$TMP/lines"
spawn clb -j monitor >"$TMP/events"
both_listen() {
	clb settings set fast-path on && [ -s "$TMP/lines" ] &&
		[ -s "$TMP/events" ]
}
said() { grep -qx "$1" "$TMP/lines"; }
event() { jq -r .event "$TMP/events" | grep -qx "$1"; }
ok "clbctl monitor listens" wait_for 20 both_listen
sync_comes_and_goes() {
	(umask 077 && printf '%064d\n' 7 >"$TMP/secret")
	ip -n "$NS-node" link add sync up type dummy &&
		ip -n "$NS-node" link set sync multicast on &&
		ip -n "$NS-node" addr add 10.7.0.1/24 dev sync &&
		clb sync start node 1 interface sync group 239.7.0.1 \
			secret "$TMP/secret" &&
		clb sync stop
}
sync_told() {
	jq -e 'select(.event == "sync-start").sync |
		.node == 1 and (has("secret") | not)' "$TMP/events"
}
ok "sync comes and goes" sync_comes_and_goes
ok "clbctl monitor says so" wait_for 10 said "sync start"
ok "clbctl -j monitor says how, but for the secret" wait_for 10 sync_told
ok "the module goes" clb_module_unload
ok "clbctl monitor says that it is gone" \
	wait_for 10 said "gone: the module was unloaded"
ok "clbctl -j monitor, too" wait_for 10 event gone
ok "the module comes" clb_module_load
ok "clbctl monitor says that it is back" \
	wait_for 10 said "lost: the module was loaded anew"
ok "clbctl -j monitor, too" wait_for 10 event lost
ok "a listener" clb listener add tcp "$VIP4:80"
ok "clbctl monitor goes on" wait_for 10 said "listener add tcp $VIP4:80.*"
ok "clbctl -j monitor, too" wait_for 10 event listener-add
is "each said it once" "$(grep -c -e ^gone -e ^lost "$TMP/lines") $(
	grep -c -e '"gone"' -e '"lost"' "$TMP/events")" "2 2"

# Root of a user namespace: in a network namespace of its own, not in another.
own_netns() {
	in_node unshare -Urn "$CLBCTL" listener add tcp "$VIP4:99" &&
		! clb listener show tcp "$VIP4:99"
}
ok "root of a user namespace configures its own network namespace" own_netns
not_ok "and not that of another" \
	in_node unshare -Ur "$CLBCTL" listener add tcp "$VIP4:99"
limit_of_users() { in_node unshare -Urn "$CLBCTL" settings set max-sessions "$1"; }
ok "it may set a limit of 65536 sessions" limit_of_users 65536
not_ok "and no higher one" limit_of_users 65537
done_testing
