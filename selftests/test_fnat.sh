#!/bin/bash
# SPDX-License-Identifier: MIT
# Full NAT on real programs: modes.sh.
. "$(dirname "$0")/modes.sh"

test_mode fnat
done_testing
