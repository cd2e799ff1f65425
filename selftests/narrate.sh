# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# How the demos tell what they do. Sourced, behind lib.sh.

say() { printf '\n== %s\n' "$*"; }

die() {
	printf '\n%s: FAILED: %s\n' "$(basename "$0" .sh)" "$*"
	exit 1
}

# shown TEXT COMMAND...: TEXT is the command as the reader would type it; runs it
# and shows the answer.
shown() {
	echo "$1"
	"${@:2}" 2>&1 | tee "$TMP/answer"
	return "${PIPESTATUS[0]}"
}
