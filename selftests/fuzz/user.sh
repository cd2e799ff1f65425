#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: user.sh [SECONDS | --list]
# Fuzzes the decoders that are pure, in user space, with libFuzzer, ASan and
# UBSan: of packets, of TCP options and of sync (contents, headers, numbers, what
# comes early) in kmod; clbctl's of messages, errors, text and secrets, and what it prints of
# answers; clbd's of HTTP heads and bodies, of the PROXY protocol, of saved SYNs,
# of HTTP/2's fields, of cookies and of commands; and clbd's rules. Without SECONDS
# a fixed number of runs from a fixed seed; with them as many as there is time
# for, from a random one. Prints TAP; with --list what the decoders are called.
# What was found to be of interest stays in build/fuzz/corpus, what breaks a
# decoder in build/fuzz/crash-*.
#
# environment:
#	RUNS=200000	number of runs for each decoder; a quarter of it for view,
#			which does more in each
#	SEED=1		of the random numbers
#	PARTS="packet text"	only these decoders
set -uo pipefail
cd "$(dirname "$(realpath "$0")")/../.." || exit 1
seconds=${1:-}
out=build/fuzz
decoders="packet options sync header window early message extack text view secret
head proxy toa h2 command sticky rules"
read -ra targets <<<"${PARTS:-${decoders//$'\n'/ }}"
if [ "$seconds" = --list ]; then
	echo "${targets[@]}"
	exit
fi
count=0 failed=0

result() { # 0 for passed, NAME
	local word="not ok"

	[ "$1" -ne 0 ] || word=ok
	count=$((count + 1)) failed=$((failed + ($1 != 0)))
	echo "$word $count - $2"
}

readonly COMPILER=(clang -g -O1 -Wall -Wextra -Wno-unused-parameter -std=gnu11
	-D_GNU_SOURCE -fno-omit-frame-pointer -fno-sanitize-recover=all)

wanted() { [[ " ${targets[*]} " == *" $1 "* ]]; }

# Nothing for a target that is not wanted.
compile() { # TARGET FLAG...
	! wanted "$1" || "${COMPILER[@]}" -fsanitize=fuzzer,address,undefined \
		"${@:2}" -o "$out/fuzz_$1"
}

# Objects of the tools, once for all targets that are made of them.
objects() { # FLAG...
	wanted message || wanted extack || wanted text || wanted view ||
		return 0
	rm -rf "$out/objects"
	mkdir -p "$out/objects" &&
		(cd "$out/objects" && printf '../../../%s\0' "${tools[@]}" |
			xargs -0 -n 1 -P "$(nproc)" "${COMPILER[@]}" "$@" \
				-fsanitize=fuzzer-no-link,address,undefined -c)
}

build() {
	local target packages=(libmnl jansson smartcols) cflags libs
	local tools clientless
	local shim=(-include selftests/fuzz/shim/kernel.h
		-Iselftests/fuzz/shim -Ikmod -Iinclude/uapi)

	mkdir -p "$out" || return
	read -ra libs < <(pkg-config --libs "${packages[@]}")
	read -ra cflags < <(pkg-config --cflags "${packages[@]}")
	cflags+=("-I$PWD/tools" "-I$PWD/include/uapi" '-DCLB_VERSION="fuzz"')
	mapfile -t tools < <(printf '%s\n' tools/lib/*.c tools/clbctl/*.c |
		grep -v clbctl/main.c)
	objects "${cflags[@]}" || return
	tools=("$out"/objects/*.o)
	# a client of its own, which needs no kernel
	mapfile -t clientless < <(printf '%s\n' "${tools[@]}" |
		grep -vE '/(client|family).o')
	compile packet "${shim[@]}" kmod/packet.c \
		selftests/fuzz/fuzz_packet.c || return
	compile sync "${shim[@]}" kmod/sync_{read,write}.c \
		selftests/fuzz/fuzz_sync.c || return
	compile header "${shim[@]}" kmod/sync_{read,write}.c \
		selftests/fuzz/fuzz_header.c || return
	compile window "${shim[@]}" selftests/fuzz/fuzz_window.c || return
	compile early "${shim[@]}" kmod/sync_early.c \
		selftests/fuzz/fuzz_early.c || return
	compile options "${shim[@]}" -Itools \
		-isystem /usr/share/include/llhttp tools/clbd/toa.c \
		selftests/fuzz/fuzz_options.c || return
	for target in message extack text; do
		compile "$target" "${cflags[@]}" \
			"selftests/fuzz/fuzz_$target.c" "${tools[@]}" \
			"${libs[@]}" || return
	done
	compile view "${cflags[@]}" selftests/fuzz/fuzz_view.c \
		"${clientless[@]}" "${libs[@]}" || return
	compile secret -Itools tools/lib/secret.c \
		selftests/fuzz/fuzz_secret.c || return
	compile head -Itools -isystem /usr/share/include/llhttp \
		-DLLHTTP_STRICT_MODE=1 tools/clbd/{head,meaning,body,field,coding}.c \
		/usr/share/llhttp/{llhttp,api,http}.c \
		selftests/fuzz/fuzz_head.c || return
	compile proxy -Itools -isystem /usr/share/include/llhttp \
		tools/clbd/proxy.c tools/lib/{address,number}.c \
		selftests/fuzz/fuzz_proxy.c || return
	compile toa -Itools -isystem /usr/share/include/llhttp \
		tools/clbd/toa.c selftests/fuzz/fuzz_toa.c || return
	compile h2 -Itools -isystem /usr/share/include/llhttp \
		-DLLHTTP_STRICT_MODE=1 \
		tools/clbd/{head,meaning,field,h2_head,h2_reply}.c \
		/usr/share/llhttp/{llhttp,api,http}.c \
		selftests/fuzz/fuzz_h2.c -lnghttp2 || return
	compile command -Itools -isystem /usr/share/include/llhttp \
		tools/clbd/command.c tools/lib/{address,number}.c \
		selftests/fuzz/fuzz_command.c || return
	compile sticky -Itools -isystem /usr/share/include/llhttp \
		tools/clbd/{sticky,cookie}.c selftests/fuzz/fuzz_sticky.c \
		-lcrypto || return
	compile rules -Itools tools/clbd/rules.c \
		selftests/fuzz/fuzz_rules.c || return
	selftests/fuzz/corpus.py "$out/seeds"
}

# Inputs to begin with are those of the script and those of earlier runs; a
# run of fixed length has the former alone.
fuzz() { # TARGET
	local log=$out/$1.log rc args runs

	if [ -n "$seconds" ]; then
		mkdir -p "$out/corpus/$1"
		args=("-max_total_time=$seconds" "$out/corpus/$1")
	else
		runs=${RUNS:-200000}
		[ "$1" != view ] || runs=$((runs / 4))
		args=("-runs=$runs" "-seed=${SEED:-1}")
	fi
	"$out/fuzz_$1" -artifact_prefix="$out/crash-$1-" -max_len=2048 \
		-print_final_stats=1 "${args[@]}" "$out/seeds/$1" \
		>"$log" 2>&1
	rc=$?
	[ "$rc" -eq 0 ] || tail -n 40 "$log" | sed 's/^/# /'
	sed -n 's/^stat::number_of_executed_units: */# inputs tried: /p' "$log"
	grep -E 'cov: [0-9]+' "$log" | tail -n 1 |
		sed -E 's/.*cov: ([0-9]+).*corp: ([0-9]+).*/# edges reached: \1, inputs kept: \2/'
	result "$rc" "fuzz $1"
}

build
result "$?" "the fuzzers build"
if [ "$failed" -eq 0 ]; then
	for target in "${targets[@]}"; do
		fuzz "$target"
	done
fi
echo "1..$count"
[ "$failed" -eq 0 ]
