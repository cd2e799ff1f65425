#!/bin/bash
# SPDX-License-Identifier: MIT
# make install, make dkms and make deb put everything where it belongs, and what
# they put there works: the programs, their man pages, completion; the module's
# sources build by the commands that DKMS would run.
set -uo pipefail
here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/../..")
log=$top/build/log/install
kver=${KVER:-$("$here/../kver.sh")}
mkdir -p "$log"
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
version=$(sed -n 's/^VERSION = //p' "$top/Makefile")

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
}

same() { [ "$(cat)" = "$1" ]; }
program() {
	"$root/usr/sbin/clbctl" -V | same "clbctl $version" &&
		"$root/usr/sbin/clbd" -V | same "clbd $version" &&
		"$root/usr/sbin/clb-announce" -V | same "clb-announce $version"
}
man_page() {
	local page

	for page in man8/clbctl.8 man8/clbd.8 man8/clb-announce.8 \
			man5/clbd.conf.5; do
		mandoc -T utf8 "$root/usr/share/man/$page" | col -b |
			grep -x NAME || return
	done
}
unit() {
	local name file

	for name in clbd clb-announce; do
		file=$root/usr/lib/systemd/system/$name.service
		grep -E "^ExecStart=/usr/sbin/$name( |$)" "$file" &&
			! grep @ "$file" || return
	done
}
# systemd's own limit, five starts in ten seconds, is one for good.
restarts() {
	local name

	for name in clbd clb-announce; do
		sed -n '/^\[Unit\]/,/^\[Service\]/p' \
			"$root/usr/lib/systemd/system/$name.service" |
			grep -x StartLimitIntervalSec=0 || return
	done
}
example() {
	local file=$root/usr/share/doc/clb/cluster/keepalived.conf

	grep -F '"/usr/sbin/clb-announce --check' "$file" && ! grep @ "$file"
}
completion() {
	# shellcheck disable=SC2016 # for the other shell
	bash -c '. "$1" && complete -p clbctl' bash \
		"$root/usr/share/bash-completion/completions/clbctl"
}
# Devices and namespaces may have names that a shell would run.
# shellcheck disable=SC2016 # for the other shell, or none
completion_of_odd_names() {
	mkdir "$root/names" && touch "$root/names/"{plain,'a b','$(touch ran)'} &&
		cd "$root" || return
	bash -c 'cur=; . "$1" && _clbctl_names names &&
		printf "%s\n" "${COMPREPLY[@]}"' bash \
		"$root/usr/share/bash-completion/completions/clbctl" |
		sort | diff - <(printf '%q\n' '$(touch ran)' 'a b' plain | sort) &&
		[ ! -e ran ]
}
module() {
	local ko=$root/lib/modules/$kver/updates/clb.ko

	[ -e "$ko" ] || ko=$(find "$root/lib/modules/$kver" -name 'clb.ko*')
	[ "$(modinfo -F version "$ko")" = "$version" ] &&
		modinfo -F vermagic "$ko" | grep -qF "$kver "
}

deb=$top/build/deb/clb_$version.deb
deb_fields() {
	dpkg-deb --field "$deb" >"$root/fields" &&
		grep -x "Package: clb" "$root/fields" &&
		grep -x "Version: $version" "$root/fields" &&
		grep -E '^Depends: .*libcyaml1.*libmnl0.*dkms' "$root/fields"
}
# The same files, wherever they were put, but for those of the built module.
deb_files() {
	dpkg-deb --extract "$deb" "$root/deb" &&
		"$root/deb/usr/sbin/clbctl" -V | same "clbctl $version" &&
		diff <(cd "$root" && find usr -type f | sort) \
			<(cd "$root/deb" && find usr -type f | sed 's/[.]gz$//' | sort)
}
source_tree=$root/usr/src/clb-$version
dkms_conf() {
	[ "$PACKAGE_NAME $PACKAGE_VERSION" = "clb $version" ] &&
		[ -d "$source_tree/${BUILT_MODULE_LOCATION[0]}" ]
}
# As DKMS does: a copy of the sources in its own tree, and its variables set.
# The first word of MAKE is "make", for which the jobs are added.
dkms_build() {
	mkdir -p "$dkms_tree/clb/$version" &&
		cp -r "$source_tree" "$dkms_tree/clb/$version/build" &&
		eval "${MAKE[0]} -j$(nproc)" &&
		[ -e "$dkms_tree/clb/$version/build/${BUILT_MODULE_LOCATION[0]}/${BUILT_MODULE_NAME[0]}.ko" ]
}
dkms_clean() {
	eval "$CLEAN" && [ -z "$(find "$dkms_tree" -name '*.ko')" ]
}

ok "make install" make -s -C "$top" install PREFIX=/usr "DESTDIR=$root"
ok "the programs run" program
ok "the man pages are readable" man_page
ok "the units start the programs that were installed" unit
ok "so does the example for keepalived" example
ok "the units start them however often they end" restarts
ok "the completion loads" completion
ok "it completes names that a shell would run" completion_of_odd_names
ok "the module is of this version and for this kernel" module
ok "make dkms" make -s -C "$top" dkms "DESTDIR=$root"
# shellcheck disable=SC2034 # for dkms.conf
kernel_source_dir=/lib/modules/$kver/build dkms_tree=$root/var/lib/dkms
# shellcheck source=/dev/null
. "$source_tree/dkms.conf"
ok "dkms.conf is filled in" dkms_conf
ok "DKMS can build it" dkms_build
ok "and clean up" dkms_clean
ok "make deb" make -s -C "$top" deb
ok "the package says what it is and needs" deb_fields
ok "it has the same files, and the program in it runs" deb_files
echo "1..$count"
[ "$failed" -eq 0 ]
