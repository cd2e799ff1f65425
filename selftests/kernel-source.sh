#!/bin/bash
# SPDX-License-Identifier: MIT
# Prints the directory of an unpacked kernel source, linux-source-6.1 of
# Debian, and unpacks it first if need be. It is in a cache outside of the
# checkout, named after the version of the package, and must not be changed:
# build with O=, or copy it (cp -al).
set -euo pipefail
package=linux-source-6.1
archive=${KERNEL_SOURCE:-/usr/src/$package.tar.xz}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/clb

if [ ! -r "$archive" ]; then
	echo "kernel-source: no $archive: run make setup" >&2
	exit 1
fi
version=$(dpkg-query -W -f='${Version}' "$package" 2>/dev/null) ||
	version=$(stat -c %s "$archive")
dir=$cache/$package-$version

if [ ! -e "$dir/Makefile" ]; then
	mkdir -p "$cache"
	exec 9>"$cache/lock"
	flock -w 600 9
	if [ ! -e "$dir/Makefile" ]; then
		rm -rf "$dir.new" "$dir"
		mkdir "$dir.new"
		xz -dc -T0 "$archive" | tar -x -C "$dir.new" \
			--strip-components=1 --no-same-owner
		mv "$dir.new" "$dir"
	fi
fi
echo "$dir"
