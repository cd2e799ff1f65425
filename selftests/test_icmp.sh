#!/bin/bash
# SPDX-License-Identifier: MIT
# ICMP errors in both directions, byte for byte, errors the node itself sends,
# and pings of a VIP. The cases are in icmp.py. Topology: lib.sh; clients and
# servers send only what they are told.
. "$(dirname "$0")/lib.sh"

topo_up 2 || exit 1
topo_mute c1 s1 s2 || exit 1
CLBCTL=$CLBCTL "$SELFTESTS/icmp.py" "$NS"
