#!/bin/bash
# SPDX-License-Identifier: MIT
# What looks at code without running it: checkpatch --strict and sparse on the
# kernel's side, cppcheck on all C, clang-format where it can express the
# style, shellcheck on scripts, and whether breakages apply. TAP, a case for
# each; one that is missing is skipped. The last line counts them: "N passed,
# N failed, N skipped".
set -uo pipefail
cd "$(dirname "$(realpath "$0")")/.." || exit 1
mkdir -p build/log
# shellcheck disable=SC2034 # used by suite.sh
prefix=style-
# shellcheck source=selftests/suite.sh
. selftests/suite.sh
kver=${KVER:-$(selftests/kver.sh)}
shopt -s nullglob globstar

kernel=() units=() user=(tools/**/*.c)
for f in kmod/**/*.[ch] selftests/**/*.[ch]; do
	case $f in
	*.mod.c)
		;;
	kmod/*|selftests/canary/*|selftests/bench/inject/*)
		kernel+=("$f")
		[[ $f == *.h ]] || units+=("$f") ;;
	*.c)
		user+=("$f") ;;
	esac
done
# The rest of tools has tables and help texts that clang-format would tear.
formatted=(tools/lib/*.[ch] selftests/fuzz/**/*.[ch])

# It wants MAINTAINERS of a kernel tree, a Makefile-like SPDX for yaml, and a
# comment at each lock, not knowing that the kernel-doc of the struct has it;
# and it takes the cursor of a loop macro for an argument used twice by mistake.
# It leaves a file with the names it learnt where it runs.
checkpatch() {
	local source rc

	source=$(selftests/kernel-source.sh) || return
	perl "$source/scripts/checkpatch.pl" --no-tree --strict --terse \
		--show-types --no-summary --max-line-length=80 \
		--ignore FILE_PATH_CHANGES,UNCOMMENTED_DEFINITION,MACRO_ARG_REUSE -f \
		"${kernel[@]}" selftests/*.c include/uapi/linux/clb.h
	rc=$?
	rm -f .checkpatch-camelcase.*
	return "$rc"
}

# Endianness, __rcu, lock annotations. sparse reports on standard error and
# never fails. It works on a copy, or a build for this host would be new. The
# tests are built for a kernel that has no KUnit to link them with.
sparse() {
	local module out dir=build/sparse rc=0

	mkdir -p "$dir"
	rsync -r --checksum --delete --include='*/' --exclude='*.mod.c' \
		--include='*.[ch]' --include=Kbuild --exclude='*' \
		include kmod selftests/canary selftests/bench/inject "$dir/" ||
		return
	for module in kmod canary inject; do
		out=$(make -s "-j$(nproc)" -C "/lib/modules/$kver/build" \
			"M=$PWD/$dir/$module" C=2 CF="-D__CHECK_ENDIAN__" \
			CLB_KUNIT=y KBUILD_MODPOST_WARN=1 modules 2>&1) ||
			{ echo "$out"; return 1; }
		! grep -E '(warning|error):' <<<"$out" || rc=1
	done
	return "$rc"
}

# cppcheck does not see the kernel's headers; cppcheck.h stands in for them.
# Headers are checked where they are included: on their own they take minutes.
cppcheck() {
	local common=(-q "--enable=warning,performance,portability" --std=c11
		--inline-suppr --error-exitcode=1 "-j$(nproc)"
		-Iinclude/uapi)

	command cppcheck "${common[@]}" -Itools "${user[@]}" &&
		command cppcheck "${common[@]}" -Ikmod \
			--include=selftests/cppcheck.h "${units[@]}"
}

clang-format() {
	command clang-format --dry-run -Werror "${formatted[@]}"
}

shellcheck() {
	command shellcheck selftests/**/*.sh tools/**/*.sh .ci/run \
		tools/clbctl/clbctl.bash-completion
}

# Each breakage of check-broken.sh breaks the code as it is now.
breakages() {
	local file rc=0

	for file in selftests/broken/*.patch; do
		patch -s --dry-run -f -p1 -F0 -r - <"$file" && continue
		echo "$file does not apply"
		rc=1
	done
	return "$rc"
}

# One case: "ok 1 - sparse is clean".
case_of() { # TOOL PROGRAM
	if ! type -P "$2" >/dev/null; then
		echo "ok 1 - $1 # SKIP not installed"
	elif "$1"; then
		echo "ok 1 - $1 is clean"
	else
		echo "not ok 1 - $1 is clean"
	fi
}

rm -f build/log/style-*.tap
# one thread, as checkpatch
begin shellcheck case_of shellcheck shellcheck
suite checkpatch case_of checkpatch perl
suite breakages case_of breakages patch
for tool in sparse cppcheck clang-format; do
	suite "$tool" case_of "$tool" "$tool"
done
follow shellcheck
finish
