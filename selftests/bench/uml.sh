#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: uml.sh NAME COMMAND [ARGUMENT...]
# Runs one command as root in User-Mode Linux, on the read-only root file
# system of this machine, with clb.ko and inject.ko built for it: native speed,
# one processor. The last line of the command's output is the verdict, which is
# not shown; without it, or with a fault in the kernel's log, the run fails.
# Logs and output: build/log/NAME.
#
# Its memory is mapped in large pages, as a kernel's is, where this machine has
# them: with small ones each miss of a cache is one of the TLB besides.
#
# environment: MEM=6G TIMEOUT=1200
set -euo pipefail
name=$1
shift
here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/../..")
log=$top/build/log/$name
built=$top/build/uml

uml=$("$here/uml-kernel.sh")
mkdir -p "$log" "$built"
rm -f "$log"/{result,console,command}
# Objects for another kernel are beside the sources: build copies of those.
rsync -a --include='*.[ch]' --include=Kbuild --include='*/' --exclude='*' \
	--prune-empty-dirs "$top/kmod" "$top/include" "$here/inject" "$built/"
for module in kmod inject; do
	make -s -C "$uml/build" ARCH=um M="$built/$module" modules
done

printf '%q ' env CLB_KO="$built/kmod/clb.ko" \
	INJECT_KO="$built/inject/inject.ko" "$@" >"$log/command"
: >"$log/result"
# Mounts are private, and go with the process.
# shellcheck disable=SC2016 # for sh
in_large_pages='mount -t tmpfs -o huge=always,mode=700,size=100% uml "$1" ||
	mount -t tmpfs -o mode=700,size=100% uml "$1" || exit
export TMPDIR=$1; shift; exec "$@"'
mkdir -p "$built/memory"
timeout -k 5 "${TIMEOUT:-1200}" unshare -m sh -c "$in_large_pages" sh \
	"$built/memory" "$uml/linux" mem="${MEM:-6G}" \
	root=/dev/root rootfstype=hostfs ro init="$here/uml-guest.sh" \
	CLB_LOG="$log" con=null con0=null,fd:1 ssl=null quiet panic=-1 \
	</dev/null >"$log/console" 2>&1 &
pid=$!
trap 'kill "$pid" 2>/dev/null || true' EXIT
tail -s 0.2 --pid="$pid" -n +1 -f "$log/result" | sed -u '/^# verdict /d'
rc=0
wait "$pid" || rc=$?
trap - EXIT
verdict=$(tail -n 1 "$log/result")
if [ "$verdict" != "# verdict 0" ]; then
	tail -n 40 "$log/console" >&2
	echo "uml $name: failed: ${verdict:-no verdict} ($rc), logs: $log" >&2
	exit 1
fi
"$here/../vm/splats.sh" "$log/console" >&2
