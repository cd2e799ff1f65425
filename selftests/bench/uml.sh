#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: uml.sh NAME COMMAND [ARGUMENT...]
# Runs one command in User-Mode Linux, with clb.ko and inject.ko built for it.
#
# environment: MEM=6G TIMEOUT=3600
set -euo pipefail
here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/../..")
built=$top/build/uml

KERNEL=$("$here/../kernel.sh" uml)
export KERNEL MEM=${MEM:-6G} TIMEOUT=${TIMEOUT:-3600}
mkdir -p "$built"
# Objects for another kernel are beside the sources: build copies of those.
rsync -a --include='*.[ch]' --include=Kbuild --include='*/' --exclude='*' \
	--prune-empty-dirs "$top/kmod" "$top/include" "$here/inject" "$built/"
for module in kmod inject; do
	make -s -C "$KERNEL/build" ARCH=um M="$built/$module" modules
done
exec "$here/../vm/uml.sh" "$1" env CLB_KO="$built/kmod/clb.ko" \
	INJECT_KO="$built/inject/inject.ko" "${@:2}"
