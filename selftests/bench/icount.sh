#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: icount.sh NAME COMMAND [ARGUMENT...]
# Runs one command in a virtual machine in which an instruction takes a
# nanosecond, with inject.ko built for it.
#
# environment: MEM=3G TIMEOUT=3000 and what else vm/boot.sh takes
set -euo pipefail
here=$(dirname "$(realpath "$0")")

"$here/build.sh"
ICOUNT=1 MEM=${MEM:-3G} TIMEOUT=${TIMEOUT:-3000} \
	APPEND="init_on_alloc=0 ${APPEND:-}" \
	exec "$here/../vm/boot.sh" "$@"
