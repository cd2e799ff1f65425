#!/bin/bash
# SPDX-License-Identifier: MIT
# The netlink interface: bad input of every kind is refused, explained and
# changes nothing (netlink.py); who may do what; events; how clbctl fails.
# Topology: lib.sh; no packet is sent.
. "$(dirname "$0")/lib.sh"

topo_up 1 || exit 1

relay "$SELFTESTS/netlink.py" "$NS-node" "$CLBCTL"
done_testing
