#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: results.py TEXT JSON

Makes the JSON file of the lines "result NAME VALUE UNIT" in the text: the
median where a name comes more than once, and ratios of results to their peers
in the same run: NAME:ipvs, NAME:flowtable, NAME:forward, NAME:1000 (sessions),
NAME:clb. Behind a line "round N" are results of that round: a ratio is the
median of those of the rounds that have both, if any has. Prints all as a table,
and beside it the reach of file reach, where there is one: the most, or after
">=" the least, that the value may be; at last, what is beyond, and what was not
measured unless CASES says that not all should be.
"""
import json
import os
import re
import statistics
import sys

# (a result, its peer, what the ratio is called after)
PEERS = [
    (r"clb/(.*)", r"ipvs/\1", "ipvs"),
    (r"clb/(nat/udp/established/(?:in|reply))@1000", r"flowtable/\1",
     "flowtable"),
    (r"clb/\w+/(?:udp|tcp)/.*/(?:in|reply)((?:\+backlog)?)@(\d+)",
     r"forward\1@\2", "forward"),
    (r"clb/\w+/(?:udp|tcp)(6?)/.*/(?:in|reply)@1000", r"forward\1", "forward"),
    (r"(.*)@(?!1000$)\d+", r"\1@1000", "1000"),
    (r"clb\+(wrr|mh)-1000-servers/(.*)", r"clb+\1/\2", "4-servers"),
    (r"clb\+rr-1000-servers/(.*)", r"clb/\1", "4-servers"),
    (r"clb\+(?!wrr|mh|rr)[^/]*/(.*)", r"clb/\1", "clb"),
]


def rounded(value):
    return int(value) if value == int(value) else round(value, 3)


def read(path):
    """What was measured by name and unit, in the order of the text: lists of
    (round, value)."""
    measured, now = {}, None
    with open(path) as text:
        for line in text:
            word = line.split()
            if word[:1] == ["round"]:
                now = int(word[1])
            elif word[:1] == ["result"]:
                measured.setdefault((word[1], word[3]), []).append(
                    (now, float(word[2])))
    return measured


def median(found):
    return statistics.median(value for _, value in found)


def by_round(found):
    """The median of each round; of all where there are none."""
    return {now: statistics.median(value for at, value in found if at == now)
            for now, _ in found}


def ratio(found, others):
    """The median of those of the rounds that have both."""
    of_round = by_round(others)
    both = [value / of_round[now] for now, value in by_round(found).items()
            if of_round.get(now)]
    if both:
        return statistics.median(both)
    # never in one round: the machine was busy
    return median(found) / median(others) if median(others) else None


def ratios(measured):
    ratios_found = {}
    for (name, unit), found in measured.items():
        for pattern, peer, label in PEERS:
            match = re.fullmatch(pattern, name)
            others = match and measured.get((match.expand(peer), unit))
            key = (f"{name}:{label}", "ratio")
            if others and ":" not in name and key not in ratios_found:
                value = ratio(found, others)
                if value is not None:
                    ratios_found[key] = value
    return ratios_found


def bounds(values):
    """NAME:bound, the least that NAME:1000 can be for a packet of which nothing
    is known before it comes: one look into memory more than in caches."""
    found = {}
    for name, unit in values:
        match = re.fullmatch(r"(clb/nat/udp/established/(?:in|reply)@)(\d+)",
                             name)
        if not match or match[2] == "1000":
            continue
        few = values.get((match[1] + "1000", unit))
        near, far = (values.get((f"limit/memory/line@{n}", unit))
                     for n in ("1000", match[2]))
        if few and near and far:
            found[(f"{name}:bound", "ratio")] = (few + far - near) / few
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
    measured = read(text)
    if not measured:
        sys.exit("no results")
    values = {key: median(found) for key, found in measured.items()}
    values.update({**ratios(measured), **bounds(values)})
    results = [{"name": name, "value": rounded(value), "unit": unit}
               for (name, unit), value in values.items()]
    with open(output, "w") as file:
        json.dump({"results": results}, file, indent=1)
        file.write("\n")
    benchmark = os.path.basename(output).removesuffix(".json")
    benchmark = benchmark.removesuffix("-some")
    table(values, read_reach(benchmark))
    print(f"{len(results)} results in {output}")


main()
