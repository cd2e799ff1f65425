#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: profile.sh CASE [FUNCTION]
# Where the instructions of a case of l4-guest.sh go: every instruction that
# the guest's kernel executes while the case is measured is counted by a plugin
# of QEMU, and the table shows them per packet and function, the injector and
# interrupts included. With FUNCTION: how often each instruction of it was
# executed, by offset; compare with objdump -dr kmod/clb.ko. "make" first.
#
#	selftests/bench/profile.sh clb/nat/udp/established/in@1000
#	selftests/bench/profile.sh floor/udp/established/in@1000
#	selftests/bench/profile.sh ipvs/nat/udp/new
#	selftests/bench/profile.sh clb/nat/udp/new clb_session_create
#
# environment: PACKETS=20000
set -euo pipefail
here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/../..")
log=$top/build/log/profile
case_=$1
cases=${case_/#floor/clb\/nat}	# in which the floor is measured, too
mkdir -p "$log"
rm -f "$log"/{counts,kallsyms}
TIMEOUT=${TIMEOUT:-600} \
	QEMU_ARGS="-plugin $top/build/bench/profile-plugin.so,out=$log/counts" \
	"$here/icount.sh" profile env CASES="$cases" PROFILE="$case_" \
	PACKETS="${PACKETS:-20000}" "$here/l4-guest.sh" | tee "$log/out" >&2
packets=$(awk '$1 == "profiled" { print $3 }' "$log/out")
[ -n "$packets" ] || { echo "profile: no such case: $case_" >&2; exit 1; }
"$here/profile.py" "$log/counts" "$log/kallsyms" "$packets" "${@:2}"
