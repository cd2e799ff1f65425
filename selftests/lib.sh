# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the test files share: TAP, polling, the network topology. Sourced.
#
#	 .11 c1   c2 .12		clients
#	      |   |
#	 -----+---+--------+--- front	192.0.2.0/24	 2001:db8:c::/64
#	  |                |
#	  | .1             |		VIP 203.0.113.1	 2001:db8:f::1
#	 node              |
#	  | .1      direct | .101...	servers to clients in DR and TUN
#	  |                |
#	 -+----+--+--+--+--|--- back	198.51.100.0/24	 2001:db8:5::/64
#	       |  |  |  |  |
#	       s1 s2 s3 s4-+		servers .11 .12 .13 .14
#
# Every name is a network namespace of its own; the two bridges are in one
# more, "net". clb works in node: clients route everything, the VIP included,
# through it, and it is the default route of the servers. A server holds the
# VIP (it needs it in DR and TUN) but does not answer ARP for it. What it
# sends from the VIP goes straight to the front, past the node; everything
# else, replies in NAT and FNAT included, goes to the node.
#
# Interfaces: eth0 in clients; front, back in node; back, direct in servers.

set -u
SELFTESTS=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
TOP=$(realpath "$SELFTESTS/..")
CLBCTL=${CLBCTL:-$TOP/build/tools/clbctl}
# shellcheck source=selftests/module.sh
. "$SELFTESTS/module.sh"

readonly VIP4=203.0.113.1 VIP6=2001:db8:f::1
readonly NODE_FRONT4=192.0.2.1 NODE_FRONT6=2001:db8:c::1
readonly NODE_BACK4=198.51.100.1 NODE_BACK6=2001:db8:5::1
SERVERS=4		# of topo_up
SLOW=${CLB_SLOW:-1}	# factor for all times
NS=clb$$		# prefix of this test's namespaces
TMP=$(mktemp -d)	# gone when the test ends

# size MANY FEW: how much of something; few on slow kernels, which have other
# ways to find what goes wrong.
size() {
	[ "$SLOW" -gt 1 ] && echo "$2" || echo "$1"
}

server4() { echo "198.51.100.$((10 + $1))"; }
server6() { echo "2001:db8:5::$((10 + $1))"; }
client4() { echo "192.0.2.$((10 + $1))"; }
client6() { echo "2001:db8:c::$((10 + $1))"; }

# --- TAP ---------------------------------------------------------------

_tap_count=0
_tap_failed=0
_tap_last=
_tap_stop=

# part NAME: is this part of the file wanted? PARTS="a b" names some of them;
# default: all.
part() { [ -z "${PARTS:-}" ] || [[ " $PARTS " == *" $1 "* ]]; }

# plan N: first thing of a test that knows its number; else done_testing.
plan() { echo "1..$1"; _tap_planned=$1; }

_tap() { # "ok" or "not ok", name
	_tap_count=$((_tap_count + 1))
	_tap_last=$1
	echo "$1 $_tap_count - $2"
	[ "$1" != ok ] || return 0
	_tap_failed=$((_tap_failed + 1))
	[ -z "${STOP_AT:-}" ] || [[ ! $2 =~ $STOP_AT ]] || _tap_stop=1
}

# STOP_AT=REGEX: a case of such a name that fails is the last one.
_tap_end() { [ -z "$_tap_stop" ] || done_testing; }

_tap_output() { sed 's/^/# /' "$TMP/output" | head -n 60; }

# ok NAME COMMAND...: COMMAND succeeds. Its output is shown if not.
ok() {
	local name=$1 rc=0

	shift
	"$@" >"$TMP/output" 2>&1 || rc=$?
	if [ "$rc" -eq 0 ]; then
		_tap ok "$name"
	else
		_tap "not ok" "$name"
		echo "# failed ($rc): $*"
		_tap_output
		_tap_end
	fi
}

# not_ok NAME COMMAND...: COMMAND fails, as it should.
not_ok() {
	local name=$1

	shift
	if "$@" >"$TMP/output" 2>&1; then
		_tap "not ok" "$name"
		echo "# succeeded: $*"
		_tap_output
		_tap_end
	else
		_tap ok "$name"
	fi
}

# is NAME GOT WANT: two equal strings.
is() {
	if [ "$2" = "$3" ]; then
		_tap ok "$1"
	else
		_tap "not ok" "$1"
		printf '%s\n' "got:" "$2" "want:" "$3" | sed 's/^/# /'
		_tap_end
	fi
}

# last_ok: did the case before this one pass? For what makes no sense without.
last_ok() { [ "$_tap_last" = ok ]; }

pass() { _tap ok "$1"; }
fail() { _tap "not ok" "$1"; _tap_end; }

skip() { _tap ok "$1 # SKIP ${2:-}"; }	# NAME WHY: one case

skip_all() {				# WHY: this whole file
	echo "# skipped: $1"
	exit 4
}

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

# Last line of a test file. Without it the file counts as ended early.
done_testing() {
	[ "$_tap_count" -gt 0 ] || _tap "not ok" "there is a part '${PARTS:-}'"
	[ -n "${_tap_planned:-}" ] || echo "1..$_tap_count"
	exit "$((_tap_failed > 0))"
}

# sanitized NAME: one of the tools, built with ASan and UBSan; as it is on
# User-Mode Linux, whose processes have not the room for ASan.
sanitized() {
	if grep -q '^vendor_id.*User Mode Linux' /proc/cpuinfo; then
		echo "$TOP/build/tools/$1"
	else
		echo "$TOP/build/tools/san/$1"
	fi
}

# --- waiting and cleaning ------------------------------------------------

# wait_for SECONDS COMMAND...: until COMMAND succeeds; fails when time is up, on
# a busy machine after PATIENCE seconds at the earliest.
readonly PATIENCE=30
wait_for() {
	local poll=0.1 end=$((SECONDS + ($1 > PATIENCE ? $1 : PATIENCE) * SLOW))

	shift
	until "$@" >"$TMP/waited" 2>&1; do
		if [ "$SECONDS" -gt "$end" ]; then
			echo "waited in vain for: $*" "$(cat "$TMP/waited")" >&2
			return 1
		fi
		sleep "$poll"
	done
}

now_ms() { echo $((${EPOCHREALTIME//./} / 1000)); }

# spawn COMMAND...: in the background, ended with the test. $spawned: its pid,
# that of the program itself also for in_server 1 PROGRAM.
spawn() {
	local _exec=exec

	"$@" &
	# shellcheck disable=SC2034 # for tests
	spawned=$!
}

# stop PID...: ends processes that spawn started, and waits for them.
stop() {
	kill "$@" 2>/dev/null
	wait "$@" 2>/dev/null
	return 0
}

_cleanup() {
	local rc=$?

	trap - EXIT
	topo_down
	# shellcheck disable=SC2046 # words are meant to split
	stop $(jobs -pr)
	rm -rf "$TMP"
	exit "$rc"
}
trap _cleanup EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# --- topology --------------------------------------------------------------

# in_ns NAME COMMAND...: COMMAND is a program, not a function.
in_ns() {
	local ns=$NS-$1

	shift
	${_exec:-} ip netns exec "$ns" "$@"
}
in_client() { in_ns c1 "$@"; }
in_client2() { in_ns c2 "$@"; }
in_node() { in_ns node "$@"; }
in_server() { # NUMBER COMMAND...
	local n=$1

	shift
	in_ns "s$n" "$@"
}

# clb ARGUMENT...: clbctl on the node.
clb() { ${_exec:-} "$CLBCTL" -n "$NS-node" "$@"; }
# The same language; jq takes ten times as long to start.
jq() { gojq "$@"; }

# hears FILE: clbctl monitor, which writes there, listens. The change is none.
hears() { clb settings set fast-path on && [ -s "$1" ]; }

# clb_get FILTER ARGUMENT...: what jq's FILTER finds in the answer.
clb_get() {
	local filter=$1

	shift
	clb -j "$@" | jq -r "$filter"
}

# Few processes: starting one is what takes time in a virtual machine. ICMP errors
# are what tests wait for: none is held back for others to the same host. (With an
# icmp_ratelimit of 0 the kernel's ip_error() would have no tokens.)
_ns_add() {
	ip netns add "$NS-$1"
	in_ns "$1" sysctl -qw net.ipv4.ip_forward=0 \
		net.ipv4.icmp_ratemask=0 net.ipv6.icmp.ratelimit=0 \
		net.ipv4.conf.{all,default}.{rp_filter,send_redirects}=0 \
		net.ipv6.conf.{all,default}.{accept_dad,accept_ra}=0 \
		"${@:2}"
}

# _plug NAMESPACE INTERFACE BRIDGE
_plug() {
	ip link add "$2" netns "$NS-$1" type veth \
		peer name "$1-$2" netns "$NS-net"
	ip -n "$NS-net" link set "$1-$2" master "$3" up
}

_net_up() {
	_ns_add net
	ip -n "$NS-net" -batch - <<-IP
	link add front up type bridge mcast_snooping 0
	link add back up type bridge mcast_snooping 0
	IP
}

_client_up() {
	_ns_add "c$1"
	_plug "c$1" eth0 front
	ip -n "$NS-c$1" -batch - <<-IP
	link set lo up
	link set eth0 up
	addr add $(client4 "$1")/24 dev eth0
	addr add $(client6 "$1")/64 dev eth0 nodad
	route add default via $NODE_FRONT4
	route add default via $NODE_FRONT6
	IP
}

# With the addresses that end with N; those of number 1 have names above.
_node_up() { # NAME N
	_ns_add "$1" net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	_plug "$1" front front
	_plug "$1" back back
	ip -n "$NS-$1" -batch - <<-IP
	link set lo up
	link set front up
	link set back up
	addr add 192.0.2.$2/24 dev front
	addr add 2001:db8:c::$2/64 dev front nodad
	addr add 198.51.100.$2/24 dev back
	addr add 2001:db8:5::$2/64 dev back nodad
	IP
}

_server_up() {
	_ns_add "s$1" net.ipv4.conf.all.arp_ignore=1 \
		net.ipv4.conf.all.arp_announce=2
	_plug "s$1" back back
	_plug "s$1" direct front
	ip -n "$NS-s$1" -batch - <<-IP
	link set lo up
	link set back up
	link set direct up
	addr add $(server4 "$1")/24 dev back
	addr add $(server6 "$1")/64 dev back nodad
	addr add 192.0.2.$((100 + $1))/24 dev direct noprefixroute
	addr add 2001:db8:c::$((100 + $1))/64 dev direct nodad noprefixroute
	addr add $VIP4/32 dev lo
	addr add $VIP6/128 dev lo nodad
	route add default via $NODE_BACK4
	route add default via $NODE_BACK6
	route add 192.0.2.0/24 dev direct table 100
	route add 2001:db8:c::/64 dev direct table 100
	rule add from $VIP4 lookup 100
	IP
	ip -n "$NS-s$1" -6 rule add from "$VIP6" lookup 100
}

# topo_up [SERVERS]: the whole picture, both families.
topo_up() {
	local i

	SERVERS=${1:-$SERVERS}
	_net_up
	_node_up node 1
	_client_up 1
	_client_up 2
	for i in $(seq "$SERVERS"); do
		_server_up "$i"
	done
	wait_for 10 in_client ping -c 1 -W 1 "$NODE_BACK4" &&
		wait_for 10 in_client ping -c 1 -W 1 "$NODE_BACK6"
}

# topo_vip_local: the node itself holds the VIP, as with keepalived or BGP.
topo_vip_local() {
	ip -n "$NS-node" addr add "$VIP4/32" dev lo
	ip -n "$NS-node" addr add "$VIP6/128" dev lo nodad
}

# topo_tunnels: servers take IPIP, 6in4 (from tunl0, sit0) and 6in6, 4in6.
topo_tunnels() {
	local i

	modprobe -a ipip sit ip6_tunnel || return
	for i in $(seq "$SERVERS"); do
		ip -n "$NS-s$i" -batch - <<-IP || return
		link add tun6 type ip6tnl mode any local $(server6 "$i") remote :: encaplimit none
		link set tun6 up
		link set tunl0 up
		link set sit0 up
		IP
		in_server "$i" sysctl -qw \
			net.ipv4.conf.{tunl0,sit0,tun6}.rp_filter=0 || return
	done
}

# topo_offloads_off: every packet on the wire as it is, checksums complete.
topo_offloads_off() {
	local ns dev

	ip netns list | awk -v p="$NS-" 'index($1, p) == 1 {print $1}' |
	while read -r ns; do
		ip -n "$ns" -br link show type veth | sed 's/[@ ].*//' |
		while read -r dev; do
			ip netns exec "$ns" ethtool -K "$dev" tso off gso off \
				gro off tx off rx off >/dev/null
		done
	done
}

topo_down() {
	local ns

	ip netns list 2>/dev/null |
		awk -v p="$NS-" 'index($1, p) == 1 {print $1}' |
	while read -r ns; do
		ip netns pids "$ns" | xargs -r kill 2>/dev/null
		ip netns del "$ns"
	done
}

# --- servers -----------------------------------------------------------------

readonly HTTP_PORTS="80 8080" UDP_PORT=5353

_nginx_conf() { # NUMBER DIRECTORY
	cat <<-CONF
	daemon off;
	master_process off;
	pid $2/pid;
	error_log $2/error.log;
	events { worker_connections 1024; }
	http {
		log_format forwarded "\$http_x_forwarded_for \$http_x_listener_name \$http_host\$request_uri";
		access_log $2/forwarded.log forwarded if=\$http_x_forwarded_for;
		default_type application/octet-stream;
		client_body_temp_path $2/body;
		proxy_temp_path $2/proxy;
		fastcgi_temp_path $2/fastcgi;
		uwsgi_temp_path $2/uwsgi;
		scgi_temp_path $2/scgi;
		client_max_body_size 0;
		keepalive_requests 1000000;
		server {
			$(for p in $HTTP_PORTS; do
				echo "listen $p; listen [::]:$p;"
			done)
			location = /	   { return 200 "s$1\n"; }
			location = /client { return 200 "\$remote_addr \$remote_port\n"; }
			location = /server { return 200 "\$server_addr \$server_port\n"; }
			location /files/   { alias $TMP/files/; }
			location /put/	   { alias $2/put/; dav_methods PUT; }
		}
	}
	CONF
}

# start_server NUMBER: nginx on ports 80 and 8080, both families.
#	/	"sN"			/client  address and port of the client
#	/server	address and port asked	/files/X the file $TMP/files/X
#	PUT /put/X is kept as $TMP/sN/put/X
# Of requests with X-Forwarded-For, $TMP/sN/forwarded.log has a line each: that,
# X-Listener-Name, and the URL.
start_server() {
	local dir=$TMP/s$1

	mkdir -p "$dir/put" "$TMP/files"
	_nginx_conf "$1" "$dir" >"$dir/nginx.conf"
	spawn in_server "$1" nginx -p "$dir" -e "$dir/error.log" \
		-c "$dir/nginx.conf" >"$dir/log" 2>&1
	wait_for 10 http_server_up "$1" || {
		diag "nginx of s$1 does not answer:" "$(cat "$dir/log")"
		return 1
	}
}
http_server_up() {
	in_server "$1" curl -sf -m "$((2 * SLOW))" "http://127.0.0.1:80/"
}

# start_udp NUMBER: UDP echo on port 5353: "sN TEXT" for TEXT.
start_udp() {
	spawn in_server "$1" "$SELFTESTS/udp.py" serve "s$1" "$UDP_PORT"
	wait_for 10 udp_server_up "$1"
}
udp_server_up() {
	in_server "$1" ss -Hlun "sport = :$UDP_PORT" | grep -q .
}

# make_file NAME KBYTES: random bytes as $TMP/files/NAME, at all servers.
make_file() {
	mkdir -p "$TMP/files"
	dd if=/dev/urandom of="$TMP/files/$1" bs=1k count="$2" status=none
}

# --- clients -----------------------------------------------------------------

url() { # ADDRESS [PORT [PATH]]
	local host=$1

	[ "${1#*:}" = "$1" ] || host="[$1]"
	echo "http://$host:${2:-80}/${3:-}"
}

# get ADDRESS [PORT [PATH]]: from c1.
get() {
	in_client curl -sSf -m "$((${GET_TIMEOUT:-10} * SLOW))" "$(url "$@")"
}

# get_many COUNT ADDRESS [PORT [PATH]]: one connection each, one answer a line.
get_many() {
	local n=$1 target i args=()

	shift
	target=$(url "$@")
	for ((i = 0; i < n; i++)); do
		args+=("$target")
	done
	in_client curl -sSf -m "$((${GET_TIMEOUT:-10} * SLOW))" \
		-H 'Connection: close' "${args[@]}"
}

# ask ADDRESS PORT TEXT [COUNT [SOURCE_PORT]]: UDP, from c1.
ask() { in_client "$SELFTESTS/udp.py" ask "$@"; }

# spread: how often each line was read, as "s1=3 s2=3".
spread() {
	sort | uniq -c | awk '{
		n = $1; sub(/^ *[0-9]+ /, "")
		printf "%s%s=%d", sep, $0, n; sep = " "
	} END { print "" }'
}

# --- cases of another program ------------------------------------------------

# relay COMMAND...: each "ok" or "not ok" line it prints, TAP or just a name, is
# a case. It must run to its end: exit 0 or, with cases that failed, 1.
relay() {
	local line rc=0 failed=$_tap_failed

	rm -f "$TMP/relay"
	mkfifo "$TMP/relay"
	CLBCTL=$CLBCTL "$@" >"$TMP/relay" 2>&1 &
	while IFS= read -r line; do
		[[ ! $line =~ ^((not\ )?ok)\ [0-9]+\ -\ (.*) ]] ||
			line="${BASH_REMATCH[1]} ${BASH_REMATCH[3]}"
		case $line in
		"ok "*) pass "${line#ok }" ;;
		"not ok "*) fail "${line#not ok }" ;;
		1..*) ;;
		*) diag "${line#\# }" ;;
		esac
	done <"$TMP/relay"
	wait $! || rc=$?
	[ "$rc" -ne 1 ] || [ "$_tap_failed" -eq "$failed" ] || rc=0
	is "$(basename "$1") runs to its end" "$rc" 0
}

# --- packets (wire.py) -------------------------------------------------------

# topo_mute NAME...: there the kernel neither answers TCP and UDP nor pings;
# packet sockets see everything.
topo_mute() {
	local name

	for name in "$@"; do
		in_ns "$name" nft -f - <<-NFT || return
		table inet mute {
			chain pre {
				type filter hook prerouting priority raw
				meta l4proto { tcp, udp, icmp, ipencap, ipv6 } drop
				icmpv6 type < 128 drop
			}
		}
		NFT
	done
}

# --- dialogues ---------------------------------------------------------------

# Programs that read commands and answer each with one line, and that live as
# long as the test: to start Python for each would take most of the time.
# dialogue NAME COMMAND...: then "tell NAME WORD..." prints the answer.
declare -A _dialogue_in _dialogue_out
dialogue() {
	local _exec=exec name=$1 in out

	shift
	mkfifo "$TMP/$name.in" "$TMP/$name.out"
	exec {in}<>"$TMP/$name.in" {out}<>"$TMP/$name.out"
	_dialogue_in[$name]=$in _dialogue_out[$name]=$out
	# not by spawn: in the background input is /dev/null unless given here
	"$@" <&"$in" >&"$out" &
}

hear() { # NAME: one more line of its output
	local line

	read -r -t "${HEAR_TIMEOUT:-$((60 * SLOW))}" -u "${_dialogue_out[$1]}" line ||
		line="no answer"
	echo "$line"
}

tell() { # NAME WORD...
	echo "${*:2}" >&"${_dialogue_in[$1]}"
	hear "$1"
}

# start_raw: raw.py as the dialogue "raw"; its servers send from s1.
start_raw() {
	# on one processor, for packets to arrive in the order of their sending
	dialogue raw taskset 1 "$SELFTESTS/raw.py" "$NS-c1" "$NS-s1"
	[ "$(hear raw)" = ready ]
}

# start_client: conn.py in c1 as the dialogue "client".
start_client() { dialogue client in_client "$SELFTESTS/conn.py" client; }

# start_tcp NUMBER [PORT]: conn.py as a server on port 7000; what happens to
# its connections is in $TMP/tcp.NUMBER.
start_tcp() {
	spawn in_server "$1" "$SELFTESTS/conn.py" serve "s$1" "${2:-7000}" \
		>"$TMP/tcp.$1" 2>&1
	wait_for 10 tcp_server_up "$@"
}
tcp_server_up() {
	in_server "$1" ss -Hltn "sport = :${2:-7000}" | grep -q .
}

# stat_of NAME: a counter of clbctl stats, with underscores.
stat_of() { clb_get ".$1" stats; }
none_left() { [ "$(stat_of sessions)" -eq 0 ]; }	# no session
stat_above() { [ "$(stat_of "$1")" -gt "$2" ]; }	# NAME NUMBER

# Has the last packet of the client's connections been sent?
is_over() { ! in_client ss -Htn state connected exclude time-wait | grep .; }

# vip_of FAMILY: sets vip, and vip_host, which ":port" can follow.
# shellcheck disable=SC2034 # for tests
vip_of() { # 4 or 6
	vip=$VIP4 vip_host=$VIP4
	[ "$1" = 4 ] || vip=$VIP6 vip_host=[$VIP6]
}

# node_sink: the node's way to 10.9.0.0/16 and 2001:db8:9::/64, where servers
# need not exist.
node_sink() {
	ip -n "$NS-node" -batch - <<-IP
	link add sink type dummy
	link set sink up
	route add 10.9.0.0/16 dev sink
	route add 2001:db8:9::/64 dev sink
	IP
}
