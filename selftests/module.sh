# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Loading and unloading clb.ko from the checkout. Sourced.

: "${CLB_KO:=$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../kmod/clb.ko}"

# Arguments are module parameters.
clb_module_load() {
	local depends dep

	[ "$CLB_KO" != none ] || return 0
	depends=$(modinfo -F depends "$CLB_KO") || return
	for dep in ${depends//,/ }; do
		modprobe "$dep" || return
	done
	insmod "$CLB_KO" "$@"
}

# A dump that a process died of holds the module a moment longer.
clb_module_unload() {
	local i

	[ "$CLB_KO" != none ] || return 0
	for ((i = 0; i < 10 * ${CLB_SLOW:-1}; i++)); do
		rmmod clb 2>/dev/null && return
		sleep 0.1
	done
	rmmod clb
}

clb_module_reload() {
	clb_module_unload && clb_module_load "$@"
}
