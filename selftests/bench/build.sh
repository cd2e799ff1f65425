#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: build.sh
# Builds what the benchmarks need beside module and tools: the injector for the
# kernel KVER and the plugin of profile.sh.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/../..")
kver=${KVER:-$("$here/../kver.sh")}

mkdir -p "$top/build/bench"
make -s -C "${KDIR:-/lib/modules/$kver/build}" M="$here/inject" modules \
	2> >(grep -v 'Skipping BTF' >&2)
plugin=$top/build/bench/profile-plugin.so
if [ "$here/profile-plugin.c" -nt "$plugin" ]; then
	gcc -std=gnu11 -O2 -Wall -Wextra -shared -fPIC -fvisibility=hidden \
		-o "$plugin" "$here/profile-plugin.c"
fi
