#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: uml-kernel.sh
# Prints the directory of a User-Mode Linux and builds it first if need be,
# once: it is in a cache outside of the checkout, named after uml.config and
# the version of the source. In it: linux, the kernel, which is a program; build,
# for modules (make -C build ARCH=um M=). The log goes to standard error.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
fragment=$here/uml.config
cache=${XDG_CACHE_HOME:-$HOME/.cache}/clb

source=$("$here/../kernel-source.sh")
hash=$({ cat "$fragment"; basename "$source"; } | sha256sum | cut -c 1-12)
dir=$cache/uml-$hash
log=$dir/log

# Today's C library has no __xmknod, which the source of 6.1 exports.
copy_source() {
	rm -rf "$dir/source"
	cp -al "$source" "$dir/source"
	sed -i '/__xmknod/d' "$dir/source/arch/um/os-Linux/user_syms.c"
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
	make -C "$dir/source" ARCH=um O="$dir/build" \
		KCONFIG_ALLCONFIG="$fragment" allnoconfig
	if ! all_took_effect; then
		echo "uml-kernel: these options have no effect" >&2
		return 1
	fi
	nice -n 5 make -C "$dir/build" ARCH=um "-j$jobs" linux modules
	cp "$dir/build/linux" "$dir/linux.new"
	mv "$dir/linux.new" "$dir/linux"
}

mkdir -p "$dir"
exec 9>"$dir/lock"
flock 9
if [ ! -e "$dir/linux" ]; then
	echo "# User-Mode Linux: building in $dir, about 8 minutes" >&2
	# In the background "set -e" holds; as a condition it would not.
	build >"$log" 2>&1 &
	wait "$!" || {
		tail -n 30 "$log" >&2
		exit 1
	}
	echo "# User-Mode Linux: built in $((SECONDS / 60)) min" >&2
fi
echo "$dir"
