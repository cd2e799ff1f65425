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

clb_module_unload() {
	[ "$CLB_KO" != none ] || return 0
	rmmod clb
}

clb_module_reload() {
	clb_module_unload && clb_module_load "$@"
}
