#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: splats.sh [FILE]
# Prints the lines of a kernel log (default: standard input) that report a
# fault of the kernel. Succeeds if there are none. Needed because lockdep and
# RCU only print: they stop neither the kernel nor the test.
#
# Three call traces are no fault: those with which the kernel tells that there was
# no memory for a cache of the module, for sysctls of its own, or for a module's
# code, as in test_faults.sh. Where this is not what a test wants, it fails for the
# module that does not load, or the device that is not there.
set -euo pipefail

patterns='BUG:|WARNING:|kernel BUG|Oops|general protection|Kernel panic'
patterns+='|KASAN:|KCSAN:|KFENCE:|UBSAN:|DEBUG_LOCKS_WARN_ON|ODEBUG:'
patterns+='|possible circular|INFO: possible|INFO: trying to register'
patterns+='|suspicious RCU|rcu.*(self-)?detected stall'
patterns+='|refcount_t|unregister_netdevice: waiting'
patterns+='|blocked for more than|soft lockup|hard LOCKUP'
patterns+='|Bad page state|list_(add|del) corruption|scheduling while atomic'
patterns+='|sleeping function called from invalid|unreferenced object'
patterns+='|Call Trace:|still has [0-9]+ references|leaked reference'
patterns+='|page allocation failure|Slab corruption|Objects remaining in'

# Between the message and the trace are one or two lines about the machine, and in
# User-Mode Linux some of the stack. -EINVAL is that of a cache without a name.
expected() {
	awk '
	/kmem_cache_create[a-z_]*\(clb_[a-z_]+\) failed with error -(12|22)$/ {
		until = NR + 3
	}
	NR <= until && /\] Stack:$/ { until = NR + 4 }
	NR <= until && /\] Call Trace:$/ { until = 0; next }
	/\] Call Trace:$/ { if (held) print held; held = $0; from = NR; next }
	held && / (__register_sysctl_table|module_alloc)\+/ { held = "" }
	held && NR > from + 8 { print held; held = "" }
	{ print }
	END { if (held) print held }' "$@"
}

log=$(expected "$@")
# 1: nothing found; what else it may be is no success
rc=0
grep -E "$patterns" <<<"$log" || rc=$?
[ "$rc" -eq 1 ]
