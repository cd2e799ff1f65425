#!/bin/bash
# SPDX-License-Identifier: MIT
# Memory runs out: one allocation of the kernel after the other fails, once,
# during netlink commands (faults_netlink.py, faults_sync.py), on the way of
# packets (faults_packet.py), while the module is loaded, in its own workers
# (faults_worker.py) and threads (faults_sync.py). Needs a kernel with fault injection: check-debug.sh.
. "$(dirname "$0")/lib.sh"

export FAIL_NTH_SO=${FAIL_NTH_SO:-$TOP/build/failnth.so}
export CLBCTL
[ -e /proc/self/fail-nth ] || skip_all "the kernel injects no faults"
[ -e "$FAIL_NTH_SO" ] || skip_all "no $FAIL_NTH_SO"

# many ICMP errors, and none of them held back
sysctl -qw net.ipv4.icmp_msgs_per_sec=1000000 \
	net.ipv4.icmp_msgs_burst=1000000
for part in ${PARTS:-netlink sync packet worker}; do
	relay "$SELFTESTS/faults_$part.py"
done
done_testing
