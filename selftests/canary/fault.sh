#!/bin/bash
# SPDX-License-Identifier: MIT
# Run as test_FAULT.sh (a link): makes that fault, which no case of this file
# sees; the checks around it must. The module is $CANARY_KO.
. "$(dirname "$0")/../lib.sh"

name=$(basename "$0" .sh)
plan 2
ok "fault is made" insmod "$CANARY_KO" "fault=${name#test_}"
ok "module goes" rmmod canary
done_testing
