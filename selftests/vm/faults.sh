# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What a debug kernel knows but does not print by itself. Sourced in the guest;
# on other kernels there is nothing to say.

kmemleak=/sys/kernel/debug/kmemleak

# Objects that nothing refers to, each told once. kmemleak passes over those
# younger than 5 s, and those that changed since the scan before: scan twice,
# with that time between. What the caches of file systems hold would be most of
# what there is to look at.
report_leaks() {
	local since

	[ -w "$kmemleak" ] || return 0
	echo 3 >/proc/sys/vm/drop_caches
	since=$SECONDS
	# "Operation not permitted": it has given up, as without memory.
	if ! echo scan >"$kmemleak"; then
		echo "BUG: kmemleak is off"
		return
	fi
	[ "$((SECONDS - since))" -gt 5 ] || sleep "$((6 - SECONDS + since))"
	echo scan >"$kmemleak"
	pass_over_others <"$kmemleak"
	forget_leaks
}

# Who refers to a mapped file cannot be seen in debug-kernel.patch's kernel. So
# it looks, to kmemleak, as if nobody did; nor to its inode, where that is not in
# the caches that were dropped: hostfs keeps none of those. A cache's name in
# sysfs leaks where there is no memory for what follows: sysfs_slab_add() of 6.1.
pass_over_others() {
	awk '/^unreferenced object/ { printf "%s", report; report = ""; other = 0 }
		/alloc_empty_file|hostfs_alloc_inode|sysfs_slab_add/ { other = 1 }
		{ report = other ? "" : report $0 "\n" }
		END { printf "%s", report }'
}

forget_leaks() {
	[ ! -w "$kmemleak" ] || echo clear >"$kmemleak"
}

# lockdep ends with its first report, or when its tables are full.
report_lockdep() {
	! grep -qs 'debug_locks: *0' /proc/lockdep_stats ||
		echo "BUG: lockdep is off"
}
