#!/bin/bash
# SPDX-License-Identifier: MIT
# Prints the kernel release to build for: the running one if its headers are
# installed, else the newest that has them. Nothing if there is none.
set -euo pipefail

running=$(uname -r)
if [ -e "/lib/modules/$running/build/Makefile" ]; then
	echo "$running"
	exit
fi
for makefile in /lib/modules/*/build/Makefile; do
	[ -e "$makefile" ] || continue
	basename "${makefile%/build/Makefile}"
done | sort -V | tail -n 1
