#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs one command as root in User-Mode Linux, on the read-only root file
# system of this machine: native speed, one processor. Otherwise as boot.sh,
# whose logs and verdict it has.
#
# usage: uml.sh NAME COMMAND [ARGUMENT...]
#
# The kernel and each process of the guest are processes here, which take turns
# with each system call. On two processors the next turn waits until one of them
# wakes up, and all takes four times as long: they stay on one.
#
# Its memory is mapped in large pages, as a kernel's is, where this machine has
# them: with small ones each miss of a cache is one of the TLB besides.
#
# environment:
#	KERNEL=dir			of kernel.sh, for its kind of kernel
#	CPU=0				which of the processors of this machine;
#					default: any
#	MEM=2G TIMEOUT=900		memory, seconds for all of it
#	APPEND="..."			more kernel parameters
#	LOGDIR=dir			default: build/log/NAME
#	SHARE=dir			default: none
set -euo pipefail

name=$1
shift
here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/../..")
timeout=${TIMEOUT:-900}
log=${LOGDIR:-$top/build/log/$name}
# shellcheck source=selftests/vm/verdict.sh
. "$here/verdict.sh"
# shellcheck source=selftests/vm/processor.sh
. "$here/processor.sh"

run_uml() {
	local share=()

	[ -z "${SHARE:-}" ] || share=("CLB_SHARE=$SHARE")
	# shellcheck disable=SC2016 # for sh
	in_large_pages='mount -t tmpfs -o huge=always,mode=700,size=100% uml "$1" ||
		mount -t tmpfs -o mode=700,size=100% uml "$1" || exit
	export TMPDIR=$1; shift; exec "$@"'
	# Mounts are private, and go with the process.
	# shellcheck disable=SC2086 # words are meant to split
	exec timeout -k 5 "$timeout" taskset -c "$(one_processor)" \
		unshare -m sh -c "$in_large_pages" sh \
		"$memory" "$KERNEL/linux" mem="${MEM:-2G}" \
		root=/dev/root rootfstype=hostfs ro init="$here/uml-guest.sh" \
		"CLB_LOG=$log" "${share[@]}" con=null con0=null,fd:1 ssl=null \
		quiet panic=-1 watchdog_thresh=60 ${APPEND:-} </dev/null >"$log/console" 2>&1
}

uml='' memory=''
# shellcheck disable=SC2317 # called by the trap
stop() {
	[ -z "$uml" ] || kill "$uml" 2>/dev/null || true
	[ -z "$memory" ] || rmdir "$memory"
}
trap stop EXIT
trap 'exit 130' INT TERM HUP

mkdir -p "$log"
rm -rf "$log"/{console,result,dmesg,splats,command,gcov}
[ -x "$KERNEL/linux" ] || fail "no kernel $KERNEL/linux"
printf '%q ' "$@" >"$log/command"
printf '%q' "$KERNEL/root" >"$log/modroot"
dd if=/dev/urandom of="$log/seed" bs=64 count=1 status=none
: >"$log/result"
memory=$(mktemp -d)
run_uml &
uml=$!
follow "$uml"
rc=0
wait "$uml" || rc=$?
uml=
judge "$rc" "$(tail -n 1 "$log/console")"
