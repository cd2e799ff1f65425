#!/bin/bash
# SPDX-License-Identifier: MIT
# The module builds inside the kernel tree, without a warning: built in and
# as a module, with and without IPv6. The tree is in a cache, so that a second
# run builds only what changed.
set -uo pipefail
here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/../..")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/clb

# One tree for all checkouts: a run puts its own sources into it.
tree=$cache/in-tree out=$cache/in-tree-out
log=$top/build/log/intree
mkdir -p "$cache" "$log"
exec 9>"$tree.lock"
flock 9

count=0 failed=0
ok() { # NAME COMMAND...
	local name=$1 rc=0

	shift
	count=$((count + 1))
	"$@" >"$log/$count" 2>&1 || rc=$?
	if [ "$rc" -eq 0 ]; then
		echo "ok $count - $name"
	else
		failed=$((failed + 1))
		echo "not ok $count - $name"
		tail -n 40 "$log/$count" | sed 's/^/# /'
	fi
	return "$rc"
}

kmake() { make -s -C "$tree" O="$out" "-j$(nproc)" "$@"; }

# Hard links: in-tree.sh replaces files, it does not write into them.
make_tree() {
	local source

	source=$("$here/../kernel-source.sh") || return
	if [ "$(cat "$tree.of" 2>/dev/null)" != "$source" ]; then
		rm -rf "$tree" "$out"
		cp -al "$source" "$tree" || return
		echo "$source" >"$tree.of"
	fi
	mkdir -p "$out"
	make -s -C "$top" in-tree "KSRC=$tree"
}

sum() { (cd "$tree" && cat net/Kconfig net/Makefile | sha256sum); }
again() {
	local before

	before=$(sum)
	make -s -C "$top" in-tree "KSRC=$tree" && [ "$(sum)" = "$before" ]
}

# A kernel as small as clb allows. tinyconfig has no network, no modules.
configure() { # NET_CLB IPV6
	cat >"$out/clb.config" <<-CONFIG
	CONFIG_64BIT=y
	CONFIG_SMP=y
	CONFIG_MODULES=y
	CONFIG_MULTIUSER=y
	CONFIG_PROC_FS=y
	CONFIG_SYSCTL=y
	CONFIG_PRINTK=y
	CONFIG_BUG=y
	CONFIG_NET=y
	CONFIG_NET_NS=y
	CONFIG_NAMESPACES=y
	CONFIG_INET=y
	CONFIG_IPV6=$2
	CONFIG_NETFILTER=y
	CONFIG_NETFILTER_ADVANCED=y
	CONFIG_NET_CLB=$1
	CONFIG
	kmake KCONFIG_ALLCONFIG="$out/clb.config" tinyconfig &&
		kmake prepare && grep -q "^CONFIG_NET_CLB=$1" "$out/.config"
}

build() {
	rm -f "$out"/net/clb/*.o
	kmake W=1 net/clb/ 2>&1 | tee "$out/warnings"
	[ "${PIPESTATUS[0]}" -eq 0 ] && [ ! -s "$out/warnings" ] &&
		ls "$out"/net/clb/*.o
}

if ok "make in-tree" make_tree; then
	ok "make in-tree again changes nothing" again
	for variant in "m y" "y y" "m m" "y n"; do
		read -r clb ipv6 <<<"$variant"
		[[ " ${PARTS:-$clb-$ipv6} " == *" $clb-$ipv6 "* ]] || continue
		label="NET_CLB=$clb, IPV6=$ipv6"
		ok "$label: configuration" configure "$clb" "$ipv6" &&
			ok "$label: builds without warnings" build
	done
fi
echo "1..$count"
[ "$failed" -eq 0 ]
