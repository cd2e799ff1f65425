#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: fuzz.sh [SECONDS]
# Fuzzes for SECONDS (3600) in all, from random seeds: a quarter of the time
# the decoders in user space, the rest netlink, packets and datagrams of sync in
# a virtual machine, rounds of these in turn. Prints TAP; seeds are in the names.
#
# environment:
#	DEBUG=1		1: on the debug kernel (check-debug.sh), 0: on that of
#			the host, which is several times faster
set -uo pipefail
cd "$(dirname "$(realpath "$0")")/../.." || exit 1
time=${1:-3600}
rc=0

decoders=$(selftests/fuzz/user.sh --list | wc -w)
selftests/fuzz/user.sh "$((time / 4 / decoders + 1))" || rc=1
vm=("FUZZ_TIME=$((time * 3 / 4))" "FUZZ_SEED=$((RANDOM << 15 | RANDOM))"
	FUZZ_MESSAGES=100000 FUZZ_PACKETS=500000 FUZZ_DATAGRAMS=100000
	"TEST_TIMEOUT=$((time * 2))")
export TIMEOUT=$((time * 4))
if [ "${DEBUG:-1}" = 0 ]; then
	selftests/vm/boot.sh fuzz env "${vm[@]}" selftests/run.sh fuzz || rc=1
else
	env "${vm[@]}" selftests/check-debug.sh fuzz || rc=1
fi
exit "$rc"
