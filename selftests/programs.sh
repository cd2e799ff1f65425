#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds the programs that tests use, as build/NAME, and with sanitizers those of
# the tools that tests in a virtual machine run so, as build/tools/san/NAME.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
mkdir -p build
flags=(-std=gnu11 -Wall -Wextra -Wshadow -Wstrict-prototypes -O2)

cc "${flags[@]}" -o build/flood selftests/flood.c
cc "${flags[@]}" -shared -fPIC -o build/failnth.so selftests/failnth.c
make -s "-j$(nproc)" -C tools O=../build/tools/san SAN=1 \
	../build/tools/san/{clbctl,clb-announce}
