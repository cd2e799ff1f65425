#!/bin/sh
# SPDX-License-Identifier: MIT
# Exit status and wording where no module is needed. Output: TAP.
# CLBCTL: the program to test; RUN: what runs it, may be empty.

n=0
failed=0

# expect STATUS TEXT WORD...: the output contains TEXT
expect()
{
	want=$1 text=$2
	shift 2
	out=$(${RUN:-} "$CLBCTL" "$@" 2>&1 </dev/null)
	status=$?
	n=$((n + 1))
	case $status:$out in
	"$want":*"$text"*)
		echo "ok $n - clbctl $*" ;;
	*)
		failed=1
		echo "not ok $n - clbctl $*"
		echo "# status $status, expected $want with '$text'"
		echo "$out" | sed 's/^/# /' ;;
	esac
}

expect 2 'usage: clbctl'
expect 0 'usage: clbctl' help
expect 0 'usage: clbctl' -h
expect 0 'usage: clbctl' -j --help
expect 0 'clbctl ' -V
expect 0 '{"clbctl":"' -jV
expect 0 'clbctl ' version
expect 0 '"clbctl":' -j version
for verb in listener server check acl local settings session stats sync \
	    node monitor save restore flush version; do
	expect 0 "usage: clbctl $verb" "$verb" help
	expect 0 "usage: clbctl $verb" help "$verb"
	expect 0 "usage: clbctl $verb" "$verb" --help
done
expect 0 'usage: clbctl listener' listener add help
expect 0 'usage: clbctl listener' listener add -h
expect 0 'usage: clbctl listener' help li
expect 2 "unknown command 'frob'" frob
expect 2 "unknown command 'frob'" help frob
expect 2 "ambiguous: listener, local" l
expect 2 "unknown command 'frob'" listener frob
expect 2 'listener missing' listener add
expect 2 'has no port' listener add tcp 192.0.2.1
expect 2 "[ADDRESS]:PORT" listener add tcp 2001:db8::1
expect 2 'not one of nat, fnat, dr, tun' listener add tcp 192.0.2.1:80 mode x
expect 2 'max-sessions, max-new-sessions' listener add tcp 192.0.2.1:80 max 1
expect 2 'nothing to set' listener set tcp 192.0.2.1:80
expect 2 'one word too many' listener del tcp 192.0.2.1:80 x
expect 2 'weight: 70000 is too large' \
	server add tcp 192.0.2.1:80 10.0.0.1 weight 70000
expect 2 'clbctl: server drain: drain-timeout: value missing' \
	server drain tcp 192.0.2.1:80 10.0.0.1 timeout
expect 2 'TCP alone' check udp 192.0.2.1:53
expect 2 'interval: 0 is too small' check interval 0
expect 2 'check: fall: value missing' check tcp 192.0.2.1:80 fall
expect 2 'prefix missing' acl add tcp 192.0.2.1:80
expect 2 'unrecognized option' --frob
expect 2 'does not belong' stats --add
expect 2 'does not belong' listener -a
expect 2 'not a number' monitor --count x
expect 2 'one word too many' restore a b
expect 2 'secret: /nonexistent: No such file' sync start secret /nonexistent
expect 2 'secret: others may read /dev/null' sync start secret /dev/null
expect 2 'nothing to set' sync start
expect 2 'clbctl: node: command missing' node
expect 2 'expected one of: takeover, giveback' node show
expect 2 'node takeover: node: value missing' node takeover
expect 2 "node giveback: node: 'x' is not" node giveback x
expect 2 'one word too many' node takeover 1 x
expect 2 "unknown command 'takeover'" sync takeover 1
expect 2 "interface: 'nonexistent' is not a network device" \
	sync start interface nonexistent
expect 1 '/nonexistent: No such file' restore /nonexistent
expect 1 '/run/netns/nonexistent' -n nonexistent listener
# A full disk is not a success.
n=$((n + 1))
if ${RUN:-} "$CLBCTL" help >/dev/full 2>/dev/null; then
	failed=1
	printf 'not '
fi
echo "ok $n - output that is lost"
# Every line of help fits on a terminal.
n=$((n + 1))
for verb in '' listener server check acl local settings session stats sync \
	    node monitor save restore flush version; do
	${RUN:-} "$CLBCTL" help $verb
done | awk 'length > 80 { print "# " $0; wide = 1 } END { exit wide }' || {
	failed=1
	printf 'not '
}
echo "ok $n - help is at most 80 columns wide"
echo "1..$n"
exit $failed
