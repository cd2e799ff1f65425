#!/bin/bash
# SPDX-License-Identifier: MIT
# Lists of sessions, by the hundred thousand (sessions.py): complete while
# others come and go and the table grows, exact while nothing changes, and
# linear in time. Topology: lib.sh; the server is a sink on the node:
#
#	c1 (pktgen) ---> node ---> sink 198.18.0.2
. "$(dirname "$0")/lib.sh"

topo_up 1 || exit 1
modprobe pktgen || skip_all "no pktgen"
ip -n "$NS-node" -batch - <<-IP || exit 1
link add sink type dummy
link set sink up
addr add 198.18.0.1/24 dev sink
neigh add 198.18.0.2 lladdr 02:00:00:00:00:02 dev sink nud permanent
IP

relay "$SELFTESTS/sessions.py" "$NS-c1" "$NS-node" "$CLBCTL"
done_testing
