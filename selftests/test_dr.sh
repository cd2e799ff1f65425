#!/bin/bash
# SPDX-License-Identifier: MIT
# Direct routing on real programs: modes.sh.
. "$(dirname "$0")/modes.sh"

test_mode dr
done_testing
