#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: picture.sh [JSON [SVG]]
# Draws instructions per packet of each system, from what "make bench-l4" left
# in build/bench/l4.json, into Documentation/performance.svg.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/../..")
json=${1:-$top/build/bench/l4.json}
svg=${2:-$top/Documentation/performance.svg}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

jq() { gojq "$@"; }	# the same language

# row LABEL NAME...: a value for each name, 0 for "none"
row() {
	local label=$1 name

	shift
	printf '"%s"' "$label"
	for name in "$@"; do
		jq -e -j --arg name "$name" \
			'"\t", if $name == "none" then 0 else
			([.results[] | select(.name == $name and
			.unit == "insn") | .value][0] //
			error("no \($name)")) end' "$json"
	done
	echo
}

system() { # LABEL SYSTEM/MODE: of replies, if they come this way
	local reply=$2/udp/established/reply@1000

	[[ $2 != */dr && $2 != */tun ]] || reply=none
	row "$1" "$2/udp/established/in@1000" "$reply" "$2/udp/new"
}

{
	row "tc redirect" limit/tc-redirect none none
	system "clb DR" clb/dr
	system "clb NAT" clb/nat
	system "clb full NAT" clb/fnat
	system "clb TUN" clb/tun
	row "flowtable NAT" flowtable/nat/udp/established/{in,reply} none
	row forwarding forward none none
	system "IPVS DR" ipvs/dr
	system "IPVS NAT" ipvs/nat
	system "IPVS TUN" ipvs/tun
	row "conntrack NAT" conntrack/nat/udp/established/{in,reply} none
} >"$work/data"

gnuplot <<-GNUPLOT
	set terminal svg size 800,400 font "sans-serif,13" background "white"
	set output "$work/svg"
	set title "Instructions per UDP packet (less is better)"
	set style data histograms
	set style histogram clustered gap 1
	set style fill solid
	set xtics rotate by -35 nomirror
	set ytics nomirror
	set yrange [0:*]
	set grid ytics linecolor "#dddddd"
	set border 3
	set key outside top center horizontal
	plot "$work/data" using 2:xticlabels(1) linecolor "#1f5fa8" \
		title "established, to the server", \
	     "" using 3 linecolor "#7fb2e5" title "established, reply", \
	     "" using 4 linecolor "#e08a1e" title "first packet"
GNUPLOT
mv "$work/svg" "$svg"
echo "drew ${svg#"$top"/}"
