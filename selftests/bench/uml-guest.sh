#!/bin/bash
# SPDX-License-Identifier: MIT
# Process 1 of the User-Mode Linux that uml.sh starts: prepares the system,
# runs the command in $CLB_LOG/command and writes the verdict, last of all.
set -u
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LANG=C.UTF-8 TERM=dumb CLB_GUEST=1
unset TMPDIR

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs run /run
mount -t tmpfs tmp /tmp
mkdir -p /run/clb /run/netns
mount -t hostfs -o "$CLB_LOG" log /run/clb
ip link set lo up
cd "$(dirname "$(realpath "$0")")/../.." || exit 1
(eval "exec $(cat /run/clb/command)") >/run/clb/result 2>/dev/console
echo "# verdict $?" >>/run/clb/result
sync
busybox poweroff -f
