#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: debug-kernel.sh
# Prints the directory of a debug kernel and builds it first if need be, once:
# it is in a cache outside of the checkout, named after selftests/debug.config
# and the version of the source. In it: build, for modules (make -C); bzImage;
# release; root/lib/modules/RELEASE. The log goes to standard error.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
fragment=$here/debug.config
changes=$here/debug-kernel.patch
cache=${XDG_CACHE_HOME:-$HOME/.cache}/clb

# KASAN: what the network code reads and writes is checked, in the kernel as in
# the module, and all that goes through memcpy() and its kind. To check how
# pages, files and processes are handled, too, takes most of the time and
# finds nothing about this module. A make expression, for each directory.
# shellcheck disable=SC2016
checked='$(if $(filter net net/% drivers/net drivers/net/%,$(obj)),,n)'

source=$("$here/kernel-source.sh")
hash=$({ cat "$fragment" "$changes"; echo "$checked"; basename "$source"; } |
	sha256sum | cut -c 1-12)
dir=$cache/debug-$hash
log=$dir/log

# Files are links to those of the unpacked source, but for what is changed.
copy_source() {
	rm -rf "$dir/source"
	cp -al "$source" "$dir/source"
	patch -s -p1 -d "$dir/source" <"$changes"
}

# An option that Kconfig drops, for what it depends on, says nothing.
all_took_effect() {
	! grep '^CONFIG_' "$fragment" | grep -Fvxf "$dir/build/.config" >&2
}

build() {
	local jobs

	jobs=$(nproc)
	copy_source
	mkdir -p "$dir/build"
	make -C "$dir/source" O="$dir/build" KCONFIG_ALLCONFIG="$fragment" \
		allnoconfig
	if ! all_took_effect; then
		echo "debug-kernel: these options have no effect" >&2
		return 1
	fi
	nice -n 5 make -C "$dir/build" "-j$jobs" "KASAN_SANITIZE=$checked" \
		bzImage modules
	rm -rf "$dir/root"
	nice -n 5 make -C "$dir/build" INSTALL_MOD_PATH="$dir/root" \
		DEPMOD=true modules_install
	cp "$dir/build/arch/x86/boot/bzImage" "$dir/bzImage"
	make -s -C "$dir/build" kernelrelease >"$dir/release.new"
	depmod -b "$dir/root" "$(cat "$dir/release.new")"
	mv "$dir/release.new" "$dir/release"
}

mkdir -p "$dir"
exec 9>"$dir/lock"
flock 9
if [ ! -e "$dir/release" ]; then
	echo "# debug kernel: building in $dir, about 15 minutes" >&2
	# In the background "set -e" holds; as a condition it would not.
	build >"$log" 2>&1 &
	wait "$!" || {
		tail -n 30 "$log" >&2
		exit 1
	}
	echo "# debug kernel: built in $((SECONDS / 60)) min" >&2
fi
echo "$dir"
