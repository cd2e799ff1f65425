#!/bin/bash
# SPDX-License-Identifier: MIT
# checkpatch --strict and sparse on the kernel code, shellcheck on scripts.
# A tool that is missing is named and skipped.
set -uo pipefail
cd "$(dirname "$(realpath "$0")")/.." || exit 1
kver=${KVER:-$(selftests/kver.sh)}
failed=0
shopt -s nullglob globstar

check() { # NAME COMMAND...
	local name=$1

	shift
	if "$@"; then
		echo "$name: clean"
	else
		echo "$name: found something"
		failed=1
	fi
}

have() {
	command -v "$1" >/dev/null || { echo "$1: not installed, skipped"; false; }
}

# It wants MAINTAINERS of a kernel tree, a Makefile-like SPDX for yaml, and a
# comment at each lock, not knowing that the kernel-doc of the struct has it.
# It leaves a file with the names it learnt where it runs.
checkpatch() {
	local source rc

	source=$(selftests/kernel-source.sh) || return
	perl "$source/scripts/checkpatch.pl" --no-tree --strict --terse \
		--show-types --no-summary --max-line-length=80 \
		--ignore FILE_PATH_CHANGES,UNCOMMENTED_DEFINITION -f "$@"
	rc=$?
	rm -f .checkpatch-camelcase.*
	return "$rc"
}

# sparse reports on standard error and never fails.
run_sparse() {
	local out

	out=$(make -s -C "/lib/modules/$kver/build" "M=$PWD/kmod" C=2 \
		CF="-D__CHECK_ENDIAN__" modules 2>&1) || {
		echo "$out"
		return 1
	}
	! grep -E '(warning|error):' <<<"$out"
}

sources=(kmod/**/*.[ch] selftests/**/*.[ch])
sources=("${sources[@]/%*.mod.c/}")
sources=("${sources[@]/%*-plugin.c/}")	# of QEMU: not the kernel's style
files=()
for f in "${sources[@]}" include/uapi/linux/clb.h; do
	[ -z "$f" ] || files+=("$f")
done
check checkpatch checkpatch "${files[@]}"
! have sparse || [ ! -e kmod/Kbuild ] || check sparse run_sparse
! have shellcheck || check shellcheck shellcheck selftests/**/*.sh .ci/run
exit "$failed"
