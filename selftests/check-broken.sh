#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: check-broken.sh [NAME...]
# Proves that the tests can fail: each patch in broken/ breaks one thing, and
# the test named in it must fail in the case named in it. NAME is that of a
# patch without suffix; default: all but those for the debug kernel, which
# must be named. The last line counts: "N passed, N failed, N skipped".
#
# A patch begins with
#	Test: limits		the test: test_limits.sh, or one of the host
#	Parts: acl pool		parts of it that are run; default: all; of l7, a
#				file and functions in it
#	Case: ^acl IPv4: off	regular expression for the case that must fail;
#				of several, each on a line, the last ends it
#	Broken: ...		what is broken
#	Machine: own		needs a virtual machine of its own, for it
#				leaves the kernel in disorder
#	Machine: debug		the same, with the debug kernel
#
# environment:
#	VMS=2		virtual machines that share the breakages
set -uo pipefail
cd "$(dirname "$(realpath "$0")")/.." || exit 1
top=$PWD
# shellcheck disable=SC2034 # used by suite.sh
prefix=broken-
# shellcheck source=selftests/suite.sh
. selftests/suite.sh
# shellcheck source=selftests/broken/header.sh
. selftests/broken/header.sh
mkdir -p build/log build/broken
rm -f build/log/broken-*.tap

names=("$@")
if [ $# -eq 0 ]; then
	for file in selftests/broken/*.patch; do
		name=$(basename "$file" .patch)
		[ "$(header machine "$name")" = debug ] || names+=("$name")
	done
fi

# The sources as they are; what was built of them stays if they did not change.
copy_sources() {
	rsync -rlp --checksum --delete --exclude=/build --exclude=.git \
		--exclude='*.o' --exclude='*.ko' --exclude='*.mod' \
		--exclude='*.mod.c' --exclude='.*.cmd' --exclude=*.a \
		--exclude=modules.order --exclude=Module.symvers \
		--exclude=.tmp_versions --exclude=__pycache__ \
		"$top/" "$tree/"
}

module() { # MACHINE TEST
	local kdir kunit=n

	kdir=/lib/modules/$(selftests/kver.sh)/build
	[ "$1" != debug ] || kdir=$(selftests/kernel.sh debug)/build || return
	[ "$2" != kunit ] || kunit=y
	# objects for another kernel are rebuilt: their commands differ
	make -s -C "$kdir" "M=$tree/kmod" "CLB_KUNIT=$kunit" modules
}
# With sanitizers, for what nothing else sees.
tools() {
	make -s -C "$tree/tools" "O=$tree/build/san" SAN=1 \
		"$tree"/build/san/{clbctl,clb-announce}
}

# build NAME: in $tree, and into build/broken/NAME what the patch changes.
build() {
	local patch=selftests/broken/$1.patch out=build/broken/$1

	rm -rf "$out"
	mkdir -p "$out"
	copy_sources || return
	patch -s -f -p1 -F0 -d "$tree" -r - <"$patch" || {
		echo "does not apply"
		return 1
	}
	! is_host_test "$1" || return 0
	if grep -qE '^\+\+\+ b/(kmod|include)/' "$patch"; then
		module "$(header machine "$1")" "$(header test "$1")" &&
			cp "$tree/kmod/clb.ko" "$out/" || return
	fi
	if grep -qE '^\+\+\+ b/tools/' "$patch"; then
		tools && cp "$tree"/build/san/{clbctl,clb-announce} "$out/"
	fi
}

is_host_test() {
	case $(header test "$1") in
	unit|valgrind|decoders|l7|abi|coverage|install|intree) ;;
	*) return 1 ;;
	esac
}

number=0
# Numbers the lines "ok NAME: ..." and notes which names had one.
declare -A judged tried
report() {
	local line name word

	while IFS= read -r line; do
		case $line in
		"# try "*)
			tried[${line#\# try }]=1 ;;
		"ok "[0-9]*|"not ok "[0-9]*)	# of boot.sh
			line="# ${line#not ok * - }" ;;
		"ok "*|"not ok "*)
			word=${line%%ok *}ok name=${line#"${line%%ok *}ok "}
			judged[${name%%:*}]=1
			number=$((number + 1))
			line="$word $number - $name" ;;
		esac
		echo "$line"
	done
}

# What is not broken: the tests take the tools from the checkout.
build_whole() {
	make -s "-j$(nproc)" all fuzzers && selftests/programs.sh &&
		echo "ok 1 - build"
}

build_one() { # NAME
	if [ ! -e "selftests/broken/$1.patch" ]; then
		echo "not ok $1: no such patch"
	elif ! build "$1" >"build/log/broken/$1.build" 2>&1; then
		echo "not ok $1: builds"
		sed 's/^/# /' "build/log/broken/$1.build"
	elif is_host_test "$1"; then
		TRY_LOG=build/log/broken TREE=$tree \
			selftests/broken/try.sh "$1"
	fi
}

# Every processor has a tree of its own, for little of this goes in parallel.
build_share() { # WORKER OF
	local tree=$top/build/broken/tree$1 i

	for ((i = $1; i < ${#names[@]}; i += $2)); do
		build_one "${names[i]}" >"build/log/broken/build$1"
		cat "build/log/broken/build$1"
	done
}

build_all() {
	local workers i pids=()

	workers=$(nproc)
	for ((i = 0; i < workers; i++)); do
		build_share "$i" "$workers" &
		pids+=("$!")
	done
	wait "${pids[@]}"
}

# waiting MACHINE: names that have no verdict yet
waiting() {
	local name

	for name in "${names[@]}"; do
		[ -n "${judged[$name]:-}" ] ||
			[ "$(header machine "$name")" != "$1" ] || echo "$name"
	done
}

boot() { # VM NAME...
	local vm=$1

	shift
	THREADS=multi TIMEOUT=${TIMEOUT:-3600} \
		selftests/vm/boot.sh "broken-$vm" \
		env THREADS=multi selftests/broken/try.sh "$@"
}

# As check-debug.sh does.
boot_debug() { # NAME
	local kernel

	kernel=$(selftests/kernel.sh debug) || return
	THREADS=multi KVER=$(cat "$kernel/release") KERNEL=$kernel/bzImage \
		MODROOT=$kernel/root \
		APPEND="kasan_multi_shot kunit.enable=1" \
		selftests/vm/boot.sh broken-debug env THREADS=multi CLB_SLOW=4 \
		TEST_TIMEOUT=900 selftests/broken/try.sh "$1"
}

# share VM COUNT NAME...: every COUNT-th name
share() {
	local vm=$1 count=$2 i mine=()

	shift 2
	for ((i = vm + 1; i <= $#; i += count)); do
		mine+=("${!i}")
	done
	[ "${#mine[@]}" -eq 0 ] || boot "$vm" "${mine[@]}"
}

side_by_side() { # NAME...
	local vms=${VMS:-2} i pids=()

	for ((i = 0; i < vms; i++)); do
		share "$i" "$vms" "$@" &
		pids+=("$!")
	done
	wait "${pids[@]}"
}

died() { # NAME...
	local name

	for name in "$@"; do
		[ -n "${judged[$name]:-}" ] ||
			echo "not ok $name: the virtual machine lives"
	done
}

# A machine that died takes the breakage it was at with it; the others get
# another one.
run_vms() {
	local left name before

	mapfile -t left < <(waiting "")
	while [ "${#left[@]}" -gt 0 ]; do
		before=$number
		side_by_side "${left[@]}" | report
		died "${!tried[@]}" | report
		mapfile -t left < <(waiting "")
		[ "$number" -gt "$before" ] || break
	done
	for name in $(waiting own); do
		boot own "$name" | report
	done
	for name in $(waiting debug); do
		boot_debug "$name" | report
	done
	died "${names[@]}" | report
}

run_all() {
	shopt -s lastpipe	# report counts in this shell
	build_all | report
	run_vms
	echo "1..$number"
}

mkdir -p build/log/broken
suite build build_whole
[ "$failed" -eq 0 ] || finish
suite broken run_all
finish
