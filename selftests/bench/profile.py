#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: profile.py COUNTS KALLSYMS PACKETS [FUNCTION]

Makes a table of functions from what profile-plugin.c counted: instructions
per packet, and how often each function was entered. With FUNCTION: what each
of its instructions was executed, by offset.
"""
import bisect
import collections
import sys


def symbols(path):
    """Sorted addresses and names of the functions in a kallsyms file."""
    found = {}
    for line in open(path):
        address, kind, name, *module = line.split()
        if kind in "tTwW":
            found.setdefault(int(address, 16),
                             name + (" " + module[0] if module else ""))
    return sorted(found), found


def main():
    counts, kallsyms, packets = sys.argv[1:4]
    packets = int(packets)
    starts, names = symbols(kallsyms)
    total = collections.Counter()
    entered = collections.Counter()
    inside = collections.defaultdict(list)
    for line in open(counts):
        address, count = line.split()
        address, count = int(address, 16), int(count)
        start = starts[bisect.bisect(starts, address) - 1]
        total[start] += count
        inside[start].append((address - start, count))
        if address == start:
            entered[start] = count
    if len(sys.argv) > 4:
        for start in starts:
            if names[start].split()[0] == sys.argv[4]:
                for offset, count in inside[start]:
                    print(f"{count / packets:8.2f} {offset:#x}")
        return
    print("    insn    calls  function, per packet")
    for start, count in total.most_common():
        if count * 20 < packets:
            break
        print(f"{count / packets:8.1f} {entered[start] / packets:8.2f}  "
              f"{names[start]}")
    print(f"{sum(total.values()) / packets:8.1f}           all")


main()
