#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: in-tree.sh KERNEL_SOURCE
# Puts the module into a kernel source tree as net/clb (CONFIG_NET_CLB). May
# be run again: files are replaced, net/Kconfig and net/Makefile hooked once.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
dst=$1

if [ ! -e "$dst/net/Kconfig" ] || [ ! -e "$dst/include/uapi/linux" ]; then
	echo "in-tree: $dst is not a kernel source tree" >&2
	exit 1
fi

# --checksum and --delete: nothing that did not change is built again, and
# nothing that is gone stays. kmod/Makefile is for building outside the tree.
rsync -r --checksum --delete --exclude=/Makefile --include='*/' \
	--include='*.[ch]' --include=Kbuild --exclude='*' \
	--exclude='*.mod.c' kmod/ "$dst/net/clb/"
install_changed() { # FROM TO
	cmp -s "$1" "$2" || install -m 644 "$1" "$2"
}
install_changed Kconfig "$dst/net/clb/Kconfig"
install_changed include/uapi/linux/clb.h "$dst/include/uapi/linux/clb.h"

# sed -i writes a new file: a tree made of hard links keeps its original.
grep -q 'net/clb/Kconfig' "$dst/net/Kconfig" ||
	sed -i 's|^source "net/netfilter/Kconfig"|&\nsource "net/clb/Kconfig"|' \
		"$dst/net/Kconfig"
# shellcheck disable=SC2016 # $(...) is make's
grep -q 'CONFIG_NET_CLB' "$dst/net/Makefile" ||
	sed -i 's|^obj-$(CONFIG_NETFILTER).*|&\nobj-$(CONFIG_NET_CLB)\t\t+= clb/|' \
		"$dst/net/Makefile"
if ! grep -q 'net/clb/Kconfig' "$dst/net/Kconfig" ||
   ! grep -q 'CONFIG_NET_CLB' "$dst/net/Makefile"; then
	echo "in-tree: found no place in net/Kconfig, net/Makefile" >&2
	exit 1
fi
