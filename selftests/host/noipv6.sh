#!/bin/bash
# SPDX-License-Identifier: MIT
# A host without IPv6 (ipv6.disable=1), for which the kernel sets nothing of it
# up: a virtual machine of its own, as that is for its kernel to be told. What is
# tried there is in vm/noipv6. TAP.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/../.."

APPEND="ipv6.disable=1 ${APPEND:-}" TIMEOUT=${TIMEOUT:-600} MEM=1G \
	exec selftests/vm/boot.sh noipv6 \
	env TESTDIR=selftests/vm/noipv6 ${CLB_KO:+"CLB_KO=$CLB_KO"} \
	selftests/run.sh
