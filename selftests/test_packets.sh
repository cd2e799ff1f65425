#!/bin/bash
# SPDX-License-Identifier: MIT
# Packet in, verdict, packet out, to the last bit: what each mode makes of a
# packet, what it refuses, what it leaves alone; and that other users of
# netfilter on the node neither disturb nor are disturbed. The cases are in
# packets.py. Topology: lib.sh; clients and servers send only what they are
# told, their kernels answer neither TCP nor UDP.
. "$(dirname "$0")/lib.sh"

topo_up 2 || exit 1
topo_mute c1 s1 s2 || exit 1
modprobe -a ip_vs ip_vs_rr nf_conntrack || exit 1
CLBCTL=$CLBCTL "$SELFTESTS/packets.py" "$NS"
