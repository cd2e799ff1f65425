#!/bin/bash
# SPDX-License-Identifier: MIT
# Process 1 of the virtual machine that boot.sh makes, and of that of uml.sh
# after uml-guest.sh: prepares the system,
# runs the command in /run/clb/command, looks for faults in the kernel log
# and writes the verdict, last of all. If this script dies, the kernel panics.
set -u
here=$(dirname "$(realpath "$0")")
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LANG=C.UTF-8 TERM=dumb CLB_GUEST=1
unset TMPDIR

exec </dev/null >/dev/console 2>&1
mkdir -p /dev/pts /dev/shm /run/netns
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
mount -t bpf bpf /sys/fs/bpf 2>/dev/null
modroot=$(cat /run/clb/modroot)
if [ "$modroot" != / ] && [ -d "$modroot/lib/modules" ]; then
	mount --bind "$modroot/lib/modules" /lib/modules
fi
hostname clb-guest
ip link set lo up

# The log is taken out piece by piece, so that it cannot wrap unseen.
keep_dmesg() { dmesg -c >>/run/clb/dmesg; }

# What of a module built for it was reached, by the paths of its objects
# (coverage.py). Such files have no size, so that they must be read to the end.
keep_coverage() {
	local gcov=/sys/kernel/debug/gcov file to

	[ -d "$gcov" ] || return 0
	find "$gcov" -name '*.gcda' | while read -r file; do
		to=/run/clb/gcov${file#"$gcov"}
		mkdir -p "${to%/*}"
		cat "$file" >"$to"
	done
}

# shellcheck source=selftests/vm/faults.sh
. "$here/faults.sh"
forget_leaks		# of the boot: not ours

keep_dmesg
result=${CLB_RESULT:-/dev/ttyS1}
[ ! -c "$result" ] || stty -F "$result" raw -echo
exec 3>>"$result"
(
	cd "$here/../.." || exit 1
	eval "exec $(cat /run/clb/command)"
) >&3 3>&-
rc=$?
keep_coverage
keep_dmesg
{ report_leaks; report_lockdep; } >>/run/clb/dmesg
# nothing printed, and no success: it could not look
"$here/splats.sh" /run/clb/dmesg >/run/clb/splats || [ -s /run/clb/splats ] ||
	echo "BUG: the log could not be searched" >/run/clb/splats
splats=$(wc -l </run/clb/splats)
sync
echo "# verdict exit $rc splats $splats" >&3
exec 3>&-		# waits until the port has sent everything
# QEMU runs with -no-reboot; User-Mode Linux would begin anew.
busybox "${CLB_END:-reboot}" -f
