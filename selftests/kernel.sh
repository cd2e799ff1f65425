#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: kernel.sh debug|debug-uml|uml
# Prints the directory of a kernel and builds it first if need be, once: it is
# in a cache outside of the checkout, named after what it is made of and the
# version of the source. In it: build, for modules (make -C, ARCH=um for
# User-Mode Linux); bzImage, or linux, which is a program; release;
# root/lib/modules/RELEASE. The log goes to standard error.
#
#	debug		looks for faults (debug.config), for QEMU
#	debug-uml	the same as User-Mode Linux
#	uml		User-Mode Linux that looks for none (bench/uml.config)
set -euo pipefail
kind=${1:-}
here=$(dirname "$(realpath "$0")")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/clb

# KASAN: what the network code reads and writes is checked, in the kernel as in
# the module, and by what it calls for netlink's attributes, for vectors of a
# message and to encrypt. To check how pages, files and processes are handled, too,
# takes most of the time and finds nothing about this module. A make expression,
# for each object.
# shellcheck disable=SC2016
checked='$(if $(filter net net/% drivers/net drivers/net/% lib/crypto,$(obj))$(filter lib/nlattr lib/iov_iter lib/scatterlist,$(obj)/$(basetarget)),,n)'

patches=("$here/debug-kernel.patch")
case $kind in
debug)
	arch=x86 kernel=arch/x86/boot/bzImage
	fragments=("$here/debug.config") ;;
debug-uml)
	arch=um kernel=linux
	fragments=("$here/debug.config" "$here/debug-uml.config")
	patches+=("$here/debug-uml.patch") ;;
uml)
	arch=um kernel=linux fragments=("$here/bench/uml.config") patches=() ;;
*)
	sed -n '3,/^set/s/^# \{0,1\}//p' "$0" >&2
	exit 2 ;;
esac
source=$("$here/kernel-source.sh")
hash=$({
	cat "${fragments[@]}"
	[ "$kind" = uml ] || { cat "${patches[@]}"; echo "$checked"; }
	basename "$source"
} | sha256sum | cut -c 1-12)
dir=$cache/$kind-$hash
log=$dir/log

# Files are links to those of the unpacked source, but for what is changed.
# Today's C library has no __xmknod, which User-Mode Linux of 6.1 exports.
copy_source() {
	local change

	rm -rf "$dir/source"
	cp -al "$source" "$dir/source"
	for change in "${patches[@]}"; do
		patch -s -p1 -d "$dir/source" <"$change"
	done
	sed -i '/__xmknod/d' "$dir/source/arch/um/os-Linux/user_syms.c"
}

# What is said of an option last counts.
options() {
	awk '/^CONFIG_/ { split($0, part, "="); name = part[1] }
		/^# CONFIG_.* is not set/ { name = $2 }
		name { line[name] = $0; name = "" }
		END { for (name in line) print line[name] }' "${fragments[@]}"
}

# An option that Kconfig drops, for what it depends on, says nothing.
all_took_effect() {
	! options | grep '^CONFIG_' | grep -Fvxf "$dir/build/.config" >&2
}

make_kernel() { nice -n 5 make -C "$dir/build" "ARCH=$arch" "$@"; }

build() {
	local jobs variables=()

	jobs=$(nproc)
	copy_source
	mkdir -p "$dir/build"
	options >"$dir/options"
	make -C "$dir/source" "ARCH=$arch" O="$dir/build" \
		KCONFIG_ALLCONFIG="$dir/options" allnoconfig
	if ! all_took_effect; then
		echo "kernel: these options have no effect" >&2
		return 1
	fi
	[ "$kind" = uml ] || variables=("KASAN_SANITIZE=$checked")
	make_kernel "-j$jobs" "${variables[@]}" "${kernel##*/}" modules
	rm -rf "$dir/root"
	make_kernel INSTALL_MOD_PATH="$dir/root" DEPMOD=true modules_install
	cp "$dir/build/$kernel" "$dir/"
	make -s -C "$dir/build" "ARCH=$arch" kernelrelease >"$dir/release.new"
	depmod -b "$dir/root" "$(cat "$dir/release.new")"
	mv "$dir/release.new" "$dir/release"
}

mkdir -p "$dir"
exec 9>"$dir/lock"
flock 9
if [ ! -e "$dir/release" ]; then
	echo "# kernel $kind: building in $dir, 5 to 15 minutes" >&2
	# In the background "set -e" holds; as a condition it would not.
	build >"$log" 2>&1 &
	wait "$!" || {
		tail -n 30 "$log" >&2
		exit 1
	}
	echo "# kernel $kind: built in $((SECONDS / 60)) min" >&2
fi
echo "$dir"
