#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs one command as root in a virtual machine made of this one.
#
# usage: boot.sh NAME COMMAND [ARGUMENT...]
#
#	host				guest
#	/boot/vmlinuz-KVER  ----------> kernel
#	/  --- 9p, read only ---------> / under a tmpfs overlay: every program
#					and the checkout, writes are lost
#	build/log/NAME  <--- 9p ------> /run/clb: dmesg, files to keep
#	SHARE  <--- 9p ---------------> /run/share: seen by several guests
#	.../console  <----------------- ttyS0: kernel console, stderr
#	.../result   <----------------- ttyS1: stdout of COMMAND, then the
#					verdict as the last line
#
# Succeeds only if the verdict arrived and says that COMMAND succeeded and the
# kernel log is clean. A panic, a hang or silence has no verdict and so fails;
# then the last line on standard output is a TAP "not ok".
#
# environment:
#	SMP=2 MEM=2G TIMEOUT=900	processors, memory, seconds for all of it
#	THREADS=single			multi: a thread of the host for each
#					processor; they run at the same moment,
#					for twice the host's time
#	CPU=0				with one thread: on which of the processors
#					of this machine it stays; any: on none;
#					default: one by chance
#	KVER=release			default: selftests/kver.sh
#	KERNEL=bzImage			default: /boot/vmlinuz-KVER
#	MODROOT=dir			holds lib/modules/KVER; default: /
#	APPEND="..."			more kernel parameters
#	LOGDIR=dir			default: build/log/NAME
#	SHARE=dir			default: none
#	QEMU_ARGS="..."			more arguments for QEMU
#	ICOUNT=1			an instruction takes one nanosecond
set -euo pipefail

name=$1
shift
here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/../..")
kver=${KVER:-$("$here/../kver.sh")}
kernel=${KERNEL:-/boot/vmlinuz-$kver}
modroot=$(realpath "${MODROOT:-/}")
timeout=${TIMEOUT:-900}
log=${LOGDIR:-$top/build/log/$name}
# shellcheck source=selftests/vm/verdict.sh
. "$here/verdict.sh"
# shellcheck source=selftests/vm/processor.sh
. "$here/processor.sh"

make_initrd() {
	local root=$work/root module

	mkdir -p "$root"/{bin,proc,sys,dev,mods,host,ov,new}
	cp "$(command -v busybox)" "$root/bin/busybox"
	# A kernel with the drivers built in lists no files, or has no list.
	for module in virtio_pci 9pnet_virtio 9p overlay; do
		modprobe -d "$modroot" -S "$kver" --show-depends "$module" \
			2>/dev/null || true
	done | awk '/^insmod/ && !seen[$2]++ {print $2}' |
	while read -r ko; do
		cp "$ko" "$root/mods/"
		basename "$ko" >>"$root/order"
	done
	touch "$root/order"
	cat >"$root/init" <<-INIT
	#!/bin/busybox sh
	/bin/busybox --install -s /bin
	mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	mount -t devtmpfs dev /dev
	while read m; do insmod /mods/\$m; done </order
	p9=trans=virtio,version=9p2000.L,msize=512000
	mount -t 9p -o \$p9,cache=loose,ro host /host
	mount -t tmpfs -o size=75% ov /ov
	mkdir /ov/u /ov/w
	mount -t overlay -o lowerdir=/host,upperdir=/ov/u,workdir=/ov/w o /new
	mount -t proc proc /new/proc
	mount -t sysfs sysfs /new/sys
	mount -t devtmpfs dev /new/dev
	mount -t tmpfs run /new/run
	mkdir /new/run/clb
	mount -t 9p -o \$p9,cache=none log /new/run/clb
	${SHARE:+mkdir /new/run/share}
	${SHARE:+mount -t 9p -o \$p9,cache=none share /new/run/share}
	exec switch_root /new /bin/bash $(printf %q "$here/guest.sh")
	INIT
	chmod +x "$root/init"
	(cd "$root" && find . | cpio --quiet -o -H newc | gzip -1) \
		>"$work/initrd.gz"
}

run_qemu() {
	local accel=tcg,thread=${THREADS:-single} cpu=max smp=${SMP:-2} extra=() on=()

	# /dev/kvm alone proves nothing: without vmx or svm a guest hangs.
	if grep -Eqw 'vmx|svm' /proc/cpuinfo && [ -w /dev/kvm ]; then
		accel=kvm cpu=host
	fi
	if [ -n "${ICOUNT:-}" ]; then
		# rep-string instructions count once per byte: hide ERMS, FSRM
		accel=tcg,thread=single cpu=max,-erms,-fsrm smp=1
		extra=(-icount "shift=0,sleep=off")
	fi
	# What serves its requests need not be woken up elsewhere.
	[[ $accel != *single || ${CPU:-} = any ]] || on=(taskset -c "$(one_processor)")
	[ -z "${SHARE:-}" ] ||
		extra+=(-virtfs "local,path=$SHARE,mount_tag=share,security_model=none")
	# shellcheck disable=SC2206 # words are meant to split
	extra+=(${QEMU_ARGS:-})
	exec timeout -k 5 "$timeout" "${on[@]}" qemu-system-x86_64 \
		-name "clb-$name" -machine q35 -accel "$accel" -cpu "$cpu" \
		-m "${MEM:-2G}" -smp "$smp" -no-reboot \
		-nodefaults -display none -monitor none \
		-serial "file:$log/console" -serial "file:$log/result" \
		-kernel "$kernel" -initrd "$work/initrd.gz" -append "$append" \
		-virtfs "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap" \
		-virtfs "local,path=$log,mount_tag=log,security_model=none" \
		"${extra[@]}" </dev/null 2>"$log/qemu"
}

qemu='' work=''
# shellcheck disable=SC2317 # called by the trap
stop() {
	[ -z "$qemu" ] || kill "$qemu" 2>/dev/null || true
	[ -z "$work" ] || rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM HUP

mkdir -p "$log"
rm -rf "$log"/{console,result,dmesg,splats,command,qemu,gcov}
[ -n "$kver" ] || fail "no kernel headers found: run make setup"
[ -r "$kernel" ] || fail "no kernel $kernel: set KVER= or KERNEL="
printf '%q ' "$@" >"$log/command"
printf '%q' "$modroot" >"$log/modroot"
: >"$log/result"
work=$(mktemp -d)
make_initrd

append="console=ttyS0 panic=-1 oops=panic quiet mitigations=off"
# On a busy host the timer's interrupts may come too late for the kernel to
# believe, at boot, that they come at all.
append+=" no_timer_check"
# QEMU translates code anew for each address at which it finds it.
append+=" norandmaps"
append+=" loglevel=5 rcupdate.rcu_cpu_stall_timeout=60"
# There a processor of the guest can stand still for longer than the 20 s after
# which the kernel takes it for locked up, too.
append+=" watchdog_thresh=60 ${APPEND:-}"
run_qemu &
qemu=$!
follow "$qemu"
rc=0
wait "$qemu" || rc=$?
qemu=
judge "$rc" "QEMU: $(tail -n 1 "$log/qemu")"
