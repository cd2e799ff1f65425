#!/bin/bash
# SPDX-License-Identifier: MIT
# Process 1 of the User-Mode Linux that uml.sh starts: makes of it what an
# initrd makes of boot.sh's machine, for guest.sh to go on.
set -u
here=$(dirname "$(realpath "$0")")
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export CLB_RESULT=/run/clb/result CLB_END=poweroff

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
ln -s /proc/self/fd /dev/fd
mount -t tmpfs run /run
mount -t tmpfs tmp /tmp
mkdir -p /run/clb
mount -t hostfs -o "$CLB_LOG" log /run/clb
# To reboot is to begin anew, in the same process.
[ -e /run/clb/seed ] || exec busybox poweroff -f
if [ -n "${CLB_SHARE:-}" ]; then
	mkdir /run/share
	mount -t hostfs -o "$CLB_SHARE" share /run/share
fi

# Nothing is random in here by itself: who asks for that would wait for minutes.
python3 - /run/clb/seed <<-PYTHON
	import fcntl, struct, sys
	with open(sys.argv[1], "rb") as file, open("/dev/random", "wb") as device:
	    seed = file.read()
	    RNDADDENTROPY = 0x40085203
	    fcntl.ioctl(device, RNDADDENTROPY,
	                struct.pack("ii", 8 * len(seed), len(seed)) + seed)
PYTHON
rm /run/clb/seed
exec "$here/guest.sh"
