#!/bin/bash
# SPDX-License-Identifier: MIT
# NAT on real programs: modes.sh.
. "$(dirname "$0")/modes.sh"

test_mode nat
done_testing
