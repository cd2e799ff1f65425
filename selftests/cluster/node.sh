#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: node.sh NUMBER [load]
# A node of the cluster of lib.sh, in its virtual machine: clb, sync, BIRD,
# clb-announce. Lives until there is /run/stop; executes what it is sent at
# port 9 of its front. load: clb once more, as at first.
set -u
here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/../..")
share=/run/share
n=$1
# shellcheck source=selftests/module.sh
. "$here/../module.sh"
clbctl=$top/build/tools/clbctl

link() { # NAME NUMBER: as lib.sh numbers them
	local dev

	dev=$(grep -l "52:54:00:00:0$2:" /sys/class/net/*/address | cut -d/ -f5)
	ip link set "$dev" name "$1"
	ip link set "$1" up
}

network_up() {
	modprobe virtio_net && link front 1 && link back 2 && link sync 3 ||
		return
	sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv4.conf.{all,default,front,back}.{rp_filter,send_redirects}=0
	ip -batch - <<-IP
	addr add 10.1.0.$n/24 dev front
	addr add 2001:db8:1::$n/64 dev front nodad
	addr add 198.51.100.$n/24 dev back
	addr add 2001:db8:5::$n/64 dev back nodad
	addr add 10.7.0.$n/24 dev sync
	route add default via 10.1.0.254
	route add default via 2001:db8:1::254
	route add blackhole 10.9.0.0/24
	route add blackhole 2001:db8:9::/64
	IP
}

clb_up() {
	clb_module_load && "$clbctl" restore "$share/clb.conf" &&
		install -m 600 "$share/secret" /run/secret &&
		"$clbctl" sync start node "$n" interface sync group 239.7.0.1 \
			secret /run/secret
}

# As its unit would: started again, unless the test wants it to stay away. Fails if
# it ever failed.
keep() { # NAME COMMAND...
	local rc=0

	while [ ! -e /run/stop ]; do
		[ -e "/run/no-$1" ] || "${@:2}" || rc=$?
		sleep 0.5
	done
	return "$rc"
}

if [ "${2:-}" = load ]; then
	clb_up
	exit
fi
network_up || exit 1
# however long a command takes after its last word
socat -t 60 TCP-LISTEN:9,reuseaddr,fork EXEC:"/bin/bash -s",stderr &
control=$!
clb_up || exit 1
keep bird bird -f -c "$share/bird-$n.conf" -s /run/bird.ctl \
	-P /run/bird.pid 2>>/run/clb/bird.log &
bird=$!
keep announce "$top/build/tools/clb-announce" --standby &
announce=$!
until [ -e /run/stop ]; do
	sleep 0.5
done
pkill clb-announce
wait "$announce" || exit 1
kill "$bird" "$control" "$(cat /run/bird.pid)"
wait
clb_module_unload
