#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: profile_report.py

Reads lines "CASE TABLE FLOOR", two files with tables of profile.py, and writes
JSON: {CASE: {FUNCTION: instructions per packet above the floor}}.
"""
import json
import sys


def read(path):
    """Instructions by function."""
    found = {}
    with open(path) as table:
        for line in table:
            word = line.split(maxsplit=2)
            if word[0] != "insn" and word[1] != "all":
                found[word[2].strip()] = float(word[0])
    return found


def main():
    profiles = {}
    for line in sys.stdin:
        case, table, floor = line.split()
        insn, below = read(table), read(floor)
        profiles[case] = {
            name: round(insn.get(name, 0) - below.get(name, 0), 1)
            for name in {**insn, **below}}
    json.dump(profiles, sys.stdout, indent=1)
    print()


main()
