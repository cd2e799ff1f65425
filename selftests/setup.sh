#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs what selftests/packages lists and this machine lacks. Silent and
# without effect where nothing is missing.
set -euo pipefail
here=$(dirname "$(realpath "$0")")

if ! command -v dpkg-query >/dev/null; then
	echo "setup: not a Debian system; install what $here/packages lists" >&2
	exit 1
fi

missing() {
	local package status

	while read -r package; do
		status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) ||
			status=
		[ "$status" = "install ok installed" ] || echo "$package"
	done < <(sed 's/#.*//' "$here/packages" | awk 'NF {print $1}')
}

mapfile -t want < <(missing)
[ "${#want[@]}" -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ]; then
	echo "setup: needs root to install: ${want[*]}" >&2
	exit 1
fi

echo "setup: installing ${want[*]}"
export DEBIAN_FRONTEND=noninteractive
apt_get=(apt-get -o Acquire::Retries=5 -o DPkg::Lock::Timeout=600)
"${apt_get[@]}" -q update

# A web server that a test starts itself must not also start at boot here.
# The return code 101 of policy-rc.d says "not allowed"; a policy that is
# already there stays.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	trap 'rm -f "$policy"' EXIT
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
fi
"${apt_get[@]}" -qy --no-install-recommends install "${want[@]}"

mapfile -t want < <(missing)
if [ "${#want[@]}" -ne 0 ]; then
	echo "setup: still missing: ${want[*]}" >&2
	exit 1
fi
