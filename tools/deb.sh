#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: deb.sh VERSION TREE FILE
# Makes a Debian package of what "make install" and "make dkms" put into TREE:
# clbctl, clbd and clb-announce with their man pages, completion and units, and
# the module's sources, which DKMS builds for each kernel. dpkg alone is needed.
set -euo pipefail
version=$1 tree=$2 file=$3

# What the programs are linked to. The tool wants a source package around it.
shared_libraries() {
	local work

	work=$(mktemp -d)
	mkdir "$work/debian"
	printf 'Source: clb\n\nPackage: clb\nArchitecture: any\n' \
		>"$work/debian/control"
	(cd "$work" && dpkg-shlibdeps -O "$tree"/usr/sbin/*) |
		sed 's/^shlibs:Depends=//'
	rm -rf "$work"
}

gzip -9nf "$tree"/usr/share/man/man?/*
mkdir -p "$tree/DEBIAN" "$(dirname "$file")"
cat >"$tree/DEBIAN/control" <<-CONTROL
	Package: clb
	Version: $version
	Architecture: $(dpkg --print-architecture)
	Maintainer: ${DEBFULLNAME:-$(id -un)} <${DEBEMAIL:-$(id -un)@$(hostname)}>
	Section: net
	Priority: optional
	Depends: $(shared_libraries), dkms, kmod
	Suggests: bird2, keepalived
	Installed-Size: $(du -sk "$tree" | cut -f1)
	Description: load balancer
	 The kernel module clb, built by DKMS, forwards TCP and UDP from virtual
	 addresses to servers by NAT, full NAT, direct routing or tunnels, for IPv4
	 and IPv6. clbctl configures it. clbd forwards HTTP requests by their domain
	 and URL. clb-announce tells a routing daemon when a node may have traffic.
CONTROL
cat >"$tree/DEBIAN/postinst" <<-SCRIPT
	#!/bin/sh
	set -e
	if [ "\$1" = configure ]; then
		dkms add -m clb -v $version || true
		# without headers of the running kernel it is built later
		dkms install -m clb -v $version || true
	fi
SCRIPT
cat >"$tree/DEBIAN/prerm" <<-SCRIPT
	#!/bin/sh
	set -e
	dkms remove -m clb -v $version --all || true
SCRIPT
chmod 755 "$tree/DEBIAN/postinst" "$tree/DEBIAN/prerm"
dpkg-deb --root-owner-group --build "$tree" "$file"
