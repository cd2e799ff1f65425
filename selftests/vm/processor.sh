# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Which processor of this machine a guest stays on. Sourced.

# Number CPU of those that are allowed here; any of them, if that is not set.
one_processor() {
	local list allowed=() range

	list=$(awk '/^Cpus_allowed_list/ { print $2 }' /proc/self/status)
	for range in ${list//,/ }; do
		mapfile -t -O "${#allowed[@]}" allowed \
			< <(seq "${range%-*}" "${range#*-}")
	done
	echo "${allowed[${CPU:-$$} % ${#allowed[@]}]}"
}
