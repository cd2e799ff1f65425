#!/bin/bash
# SPDX-License-Identifier: MIT
# The module is there, in each network namespace on its own, and goes.
. "$(dirname "$0")/lib.sh"

topo_up 1 || exit 1

module_loaded() { grep -q '^clb ' /proc/modules; }
family_in() { in_ns "$1" genl ctrl get name clb | grep -q 'Name: clb'; }
listeners_in() { # NAMESPACE: how many
	in_ns "$1" "$CLBCTL" -j listener show | jq 'length'
}

ok "module is loaded" module_loaded
ok "netlink family is in node" family_in node
ok "netlink family is in a client" family_in c1
ok "clbctl tells its version" "$CLBCTL" version
ok "statistics can be read" clb stats
ok "a listener can be added" \
	clb listener add tcp "$VIP4:80" mode nat scheduler rr
is "node has the listener" "$(listeners_in node)" 1
is "no other namespace has it" "$(listeners_in c1)" 0
not_ok "the same listener cannot be added twice" \
	clb listener add tcp "$VIP4:80" mode nat scheduler rr
ok "it can be removed" clb listener del tcp "$VIP4:80"
is "then node has none" "$(listeners_in node)" 0

# The second load finds nothing of the first.
ok "a namespace with a listener can go" \
	clb listener add tcp "$VIP4:80" mode nat scheduler rr
topo_down
ok "module unloads and loads again" clb_module_reload
done_testing
