#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: l7.sh
# Requests of HTTP that clbd passes on in a second of its processor's time, and
# nginx and HAProxy from Debian beside it, in a network namespace of their own.
# The cases are in l7.py. Prints a table and writes build/bench/l7.json:
#	{"results": [{"name", "value", "unit"}, ...]}
#
# name: SYSTEM/CASE, or clbd/CASE:OTHER for a ratio, of which the median of the
# rounds counts; "best" is the better of the others by that median, "none" clbd
# without rules
# unit:	req/cpu-s	requests in a second of processor time of all processes
#	ms		99 of 100 answers at 70 % load took no longer
#	bytes		of memory of a connection that waits for a request
#	ratio		of two results of a round
#
# environment: CASES="http1/keepalive/*": only these
#	ROUNDS=7 SECONDS_EACH=3
set -euo pipefail
here=$(dirname "$(realpath "$0")")

exec "$here/record.sh" l7 unshare -n --pid --fork --mount-proc "$here/l7.py"
