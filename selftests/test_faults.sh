#!/bin/bash
# SPDX-License-Identifier: MIT
# Memory runs out: one allocation of the kernel after the other fails, once,
# while a command is carried out. The command is done or it is not, never by
# half, and nothing is lost, which the checks of the kernel tell. Then
# sessions get no memory. Needs a kernel with fault injection: check-debug.sh.
. "$(dirname "$0")/lib.sh"

FAIL_NTH_SO=${FAIL_NTH_SO:-$TOP/build/debug/failnth.so}
debugfs=/sys/kernel/debug
[ -e /proc/self/fail-nth ] || skip_all "the kernel injects no faults"
[ -e "$FAIL_NTH_SO" ] || skip_all "no $FAIL_NTH_SO"

topo_up 1 || exit 1
start_udp 1

# All allocations may fail; a report of each would look like a splat.
for knob in failslab fail_page_alloc; do
	echo 0 >"$debugfs/$knob/verbose"
	echo 0 >"$debugfs/$knob/ignore-gfp-wait"
done
echo 0 >"$debugfs/fail_page_alloc/min-order"

clb() { "$CLBCTL" -n "$NS-node" "$@"; }

# with_fault N COMMAND...: 0: done, 1: not done, 2: it has no N allocations,
# and was done
with_fault() {
	local nth=$1 rc=0

	shift
	rm -f "$TMP/left"
	FAIL_NTH=$nth FAIL_NTH_LEFT=$TMP/left LD_PRELOAD=$FAIL_NTH_SO \
		"$CLBCTL" -n "$NS-node" "$@" >"$TMP/said" 2>&1 || rc=1
	[ ! -e "$TMP/left" ] || rc=2
	return "$rc"
}

# change DO UNDO: words of clbctl. What is in force is always the old or the
# new configuration, also where the answer got lost.
change() {
	local before after now n rc

	before=$(clb save)
	# shellcheck disable=SC2086 # words
	clb $1 || return
	after=$(clb save)
	for ((n = 1; n < 1000; n++)); do
		# shellcheck disable=SC2086 # words
		[ "$(clb save)" = "$before" ] || clb $2 || return
		rc=0
		# shellcheck disable=SC2086 # words
		with_fault "$n" $1 || rc=$?
		now=$(clb save)
		if [ "$now" != "$after" ] &&
		   { [ "$now" != "$before" ] || [ "$rc" -ne 1 ]; }; then
			echo "allocation $n ($rc): $(cat "$TMP/said")" "$now"
			return 1
		fi
		[ "$rc" -ne 2 ] || return 0
	done
	echo "still not done with $n allocations"
	return 1
}

# first WORDS: as change, but goes on where the failure before left off.
first() {
	local n rc

	for ((n = 1; n < 1000; n++)); do
		rc=0
		with_fault "$n" "$@" || rc=$?
		[ "$rc" -eq 1 ] || return 0
		! clb listener show | grep -q "$VIP4" || return 0
	done
	return 1
}

# show WORDS: nothing to undo.
show() {
	local n rc

	for ((n = 1; n < 1000; n++)); do
		rc=0
		with_fault "$n" "$@" || rc=$?
		[ "$rc" -ne 2 ] || return 0
	done
	return 1
}

listener="tcp $VIP4:80" udp="udp $VIP4:$UDP_PORT"
# shellcheck disable=SC2086 # words
ok "first change of a namespace" first listener add $listener mode nat
ok "listener of UDP" change "listener add $udp mode fnat scheduler rr" \
	"listener del $udp"
ok "server" change "server add $udp $(server4 1):$UDP_PORT" \
	"server del $udp $(server4 1):$UDP_PORT"
ok "local address" change "local add $NODE_BACK4" "local del $NODE_BACK4"
ok "scheduler mh" change "listener set $udp scheduler mh" \
	"listener set $udp scheduler rr"
ok "scheduler wrr" change "listener set $udp scheduler wrr" \
	"listener set $udp scheduler mh"
ok "server down" change "server down $udp $(server4 1):$UDP_PORT" \
	"server up $udp $(server4 1):$UDP_PORT"
ok "server up" change "server up $udp $(server4 1):$UDP_PORT" \
	"server down $udp $(server4 1):$UDP_PORT"
ok "ACL" change "acl add $udp 192.0.2.128/25" "acl del $udp 192.0.2.128/25"

clb save >"$TMP/full"
clb save | grep -v "$VIP4:80" >"$TMP/less"
ok "restore, a transaction" change "restore $TMP/less" "restore $TMP/full"
clb restore "$TMP/full"
ok "flush" change flush "restore $TMP/full"
clb restore "$TMP/full"

for what in "listener show" "server show $udp" "session show" stats settings \
	"acl show $udp" "local show"; do
	# shellcheck disable=SC2086 # words
	ok "$what" show $what
done

# --- sessions without memory, in softirq ---------------------------------

echo_works() { ask "$VIP4" "$UDP_PORT" hello 1 | grep -q "s1 hello"; }
cache=/sys/kernel/slab/clb_session/failslab

ok "a session is made" echo_works
if [ -w "$cache" ]; then
	echo 1 >"$cache"
	echo 1 >"$debugfs/failslab/cache-filter"
	echo -1 >"$debugfs/failslab/times"
	echo 100 >"$debugfs/failslab/probability"
	not_ok "without memory none is made" echo_works
	echo 0 >"$debugfs/failslab/probability"
	echo 0 >"$debugfs/failslab/cache-filter"
	ok "with memory again one is" echo_works
else
	skip "sessions without memory" "no $cache"
fi
done_testing
