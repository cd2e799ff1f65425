# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# clb and IPVS, set up in the same way. Sourced behind lib.sh.
# shellcheck disable=SC2034,SC2154 # variables of lib.sh

readonly UDP_TIMEOUT=900	# seconds: none ends before it was measured
readonly IPVS_BITS=/sys/module/ip_vs/parameters/conn_tab_bits

# Each balancer has load, unload, service MODE PROTOCOL VIP SERVERS, and
# ready: returns when it has nothing left to do in the background.
load() { "$1_load"; }
unload() { "$1_unload"; }

ipvs_load() {
	! [ "$UNIT" = insn ] || modprobe ip_vs conn_tab_bits=20
	[ "$UNIT" != insn ] || [ "$(cat $IPVS_BITS)" = 20 ] || {
		say "failed: IPVS has another table"
		exit 1
	}
	ipvsadm --set 0 0 $UDP_TIMEOUT || exit 1
	ip addr add "$VIP4"/32 dev lo
	ip addr add "$VIP6"/128 dev lo nodad
}

ipvs_unload() {
	ipvsadm -C
	! [ "$UNIT" = insn ] || rmmod ip_vs_rr ip_vs
}

ipvs_ready() { :; }
ipvs_sessions() { # of all services: active and not
	ipvsadm -Ln | awk '$1 == "->" && $2 !~ /^Remote/ { n += $5 + $6 }
		END { print n + 0 }'
}

# service_of MODE PROTOCOL VIP SERVERS: sets what both need to write a service
service_of() {
	vip=$3 servers=$(servers4 "$4")
	if [ "${3#*:}" != "$3" ]; then
		vip=[$3] servers=$(servers6 "$4" | sed 's/.*/[&]/')
	fi
}

ipvs_service() { # MODE PROTOCOL VIP SERVERS
	local vip servers how server flag=-${2:0:1}

	service_of "$@"
	case $1 in
	nat)	how=-m ;;
	dr)	how=-g ;;
	tun)	how=-i ;;
	esac
	{
		echo "-A $flag $vip:$PORT -s rr"
		for server in $servers; do
			echo "-a $flag $vip:$PORT -r $server:$PORT $how"
		done
	} | ipvsadm -R || exit 1
}

clb_load() {
	clb_module_load || exit 1
	"$clbctl" settings set fast-path "${FAST_PATH:-on}"
}

clb_unload() { clb_module_unload; }

# The session table grows in the background.
clb_table_fits() {
	"$clbctl" -j stats | jq -e '.table_buckets >= 2 * .sessions' >/dev/null
}

clb_ready() {
	local i

	for ((i = 0; i < 600; i++)); do
		! clb_table_fits || return 0
		sleep 0.1
	done
	say "failed: the session table does not grow"
	failed=1
}

clb_sessions() { "$clbctl" -j stats | jq .sessions; }

# What is measured is what a balancer does with this many.
holds() { # SYSTEM N
	local n

	n=$("$1_sessions")
	[ "$n" -eq "$2" ] || {
		say "failed: $1 holds $n sessions, not $2"
		failed=1
	}
}

# LISTENER: more keywords of the listener; MORE: prints more commands. Weights
# are not equal, or wrr would do what rr does.
clb_service() { # MODE PROTOCOL VIP SERVERS
	local vip servers server timeout='' i=0

	service_of "$@"
	[ "$2" = tcp ] || timeout="timeout-udp $UDP_TIMEOUT"
	{
		[ "$1" != fnat ] || printf 'local add %s\n' 198.18.0.1 \
			2001:db8:5:0:ffff::1
		echo "listener add $2 $vip:$PORT mode $1" \
			"${LISTENER:-scheduler rr} $timeout"
		for server in $servers; do
			echo "server add $2 $vip:$PORT $server:$PORT" \
				"weight $((100 + i++ % 4))"
		done
		${MORE:-}
	} | "$clbctl" restore || exit 1
}
