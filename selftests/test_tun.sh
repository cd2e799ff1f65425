#!/bin/bash
# SPDX-License-Identifier: MIT
# Tunnels on real programs: modes.sh; also between families.
. "$(dirname "$0")/modes.sh"

test_mode tun
for f in 4 6; do
	part mixed || continue
	family "$f"
	test_tcp "tun IPv$f in IPv$((10 - f))" tun $((10 - f))
	test_udp "tun IPv$f in IPv$((10 - f))" tun $((10 - f))
done
done_testing
