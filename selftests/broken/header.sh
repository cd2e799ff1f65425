# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Reads what is written above a patch. Sourced.

# header FIELD NAME: the rest of the line "Field: ..." of NAME.patch
header() {
	local field=${1^}

	sed -n "/^--- /q; s/^$field: *//p" \
		"$(dirname "${BASH_SOURCE[0]}")/$2.patch"
}
