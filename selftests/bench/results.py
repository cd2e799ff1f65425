#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: results.py TEXT JSON

Makes the JSON file of the lines "result NAME VALUE UNIT" in the text: the
median where a name comes more than once, and ratios of results to their peers
in the same run: NAME:ipvs, NAME:forward, NAME:1000 (sessions), NAME:clb. Prints
all as a table, and beside it the reach of file reach, where there is one: the
most, or after ">=" the least, that the value may be; at last, what is beyond,
and what was not measured unless CASES says that not all should be.
"""
import json
import os
import re
import statistics
import sys

# (a result, its peer, what the ratio is called after)
PEERS = [
    (r"clb/(.*)", r"ipvs/\1", "ipvs"),
    (r"clb/.*/(?:in|reply)((?:\+backlog)?)@(\d+)", r"forward\1@\2", "forward"),
    (r"clb/.*/(?:in|reply)@1000", "forward", "forward"),
    (r"(.*)@(?!1000$)\d+", r"\1@1000", "1000"),
    (r"clb\+(wrr|mh)-1000-servers/(.*)", r"clb+\1/\2", "4-servers"),
    (r"clb\+rr-1000-servers/(.*)", r"clb/\1", "4-servers"),
    (r"clb\+(?!wrr|mh|rr)[^/]*/(.*)", r"clb/\1", "clb"),
]


def rounded(value):
    return int(value) if value == int(value) else round(value, 3)


def read(path):
    """Medians by name and unit, in the order of the text."""
    values = {}
    with open(path) as text:
        for line in text:
            word = line.split()
            if word and word[0] == "result":
                values.setdefault((word[1], word[3]), []).append(float(word[2]))
    return {key: statistics.median(found) for key, found in values.items()}


def ratios(values):
    found = {}
    for (name, unit), value in values.items():
        for pattern, peer, label in PEERS:
            match = re.fullmatch(pattern, name)
            other = match and values.get((match.expand(peer), unit))
            if other and ":" not in name and \
                    (f"{name}:{label}", "ratio") not in found:
                found[(f"{name}:{label}", "ratio")] = value / other
    return found


def read_reach(benchmark):
    """Limits by name and unit, with the sign before them; a file of lines NAME
    LIMIT UNIT, in sections [BENCHMARK]."""
    reach, section = {}, None
    path = os.path.join(os.path.dirname(os.path.realpath(__file__)), "reach")
    with open(path) as file:
        for line in file:
            word = line.split("#")[0].split()
            if len(word) == 1:
                section = word[0].strip("[]")
            elif word and section == benchmark:
                sign = ">=" if word[1].startswith(">=") else "<="
                reach[(word[0], " ".join(word[2:]))] = (
                    sign, float(word[1].removeprefix(">=")))
    return reach


def table(values, reach):
    width = max(len(name) for name, _ in values)
    beyond = []
    for (name, unit), value in values.items():
        line = f"{name:{width}} {rounded(value):>9} {unit:5}"
        limit = reach.get((name, unit))
        if limit is not None:
            sign, limit = limit
            missed = value > limit if sign == "<=" else value < limit
            line += f" {sign} {rounded(limit)}"
            line += ("  over" if sign == "<=" else "  under") * missed
            beyond += [name] * missed
        print(line.rstrip())
    print("beyond reach:", " ".join(beyond) or "nothing")
    if not os.environ.get("CASES"):
        missing = [name for name, unit in reach if (name, unit) not in values]
        print("not measured:", " ".join(missing) or "nothing")


def main():
    text, output = sys.argv[1:]
    values = read(text)
    if not values:
        sys.exit("no results")
    values.update(ratios(values))
    results = [{"name": name, "value": rounded(value), "unit": unit}
               for (name, unit), value in values.items()]
    with open(output, "w") as file:
        json.dump({"results": results}, file, indent=1)
        file.write("\n")
    benchmark = os.path.basename(output).removesuffix(".json")
    table(values, read_reach(benchmark))
    print(f"{len(results)} results in {output}")


main()
