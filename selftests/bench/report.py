#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: report.py

Puts what the benchmarks left in build/bench into the tables of
Documentation/performance.rst, which stand between ".. begin NAME" and
".. end NAME". No figure in them is written by hand. Tables of a benchmark that
did not run stay as they are.
"""
import json
import os
import re

TOP = os.path.dirname(os.path.realpath(__file__)) + "/../../"
PAGE = TOP + "Documentation/performance.rst"

FLOWS = ["udp/established/in@1000", "udp/established/reply@1000",
         "tcp/established/in@1000", "tcp/established/reply@1000", "udp/new",
         "tcp/connection"]
SYSTEMS = [
    ("the floor", "floor"),
    ("plain forwarding", {"udp/established/in@1000": "forward"}),
    ("tc redirect, no rewrite",
     {"udp/established/in@1000": "limit/tc-redirect"}),
    ("nf_flow_table NAT", "flowtable/nat"),
    ("conntrack NAT", "conntrack/nat"),
    ("IPVS NAT", "ipvs/nat"), ("IPVS DR", "ipvs/dr"), ("IPVS TUN", "ipvs/tun"),
    ("clb NAT", "clb/nat"), ("clb FNAT", "clb/fnat"), ("clb DR", "clb/dr"),
    ("clb TUN", "clb/tun"),
    ("clb NAT, slow path", "clb+slow/nat"),
    ("the floor, IPv6", "floor 6"),
    ("IPVS NAT, IPv6", "ipvs/nat 6"), ("IPVS DR, IPv6", "ipvs/dr 6"),
    ("IPVS TUN, IPv6", "ipvs/tun 6"), ("clb NAT, IPv6", "clb/nat 6"),
    ("clb FNAT, IPv6", "clb/fnat 6"), ("clb DR, IPv6", "clb/dr 6"),
    ("clb TUN, IPv6", "clb/tun 6"),
    ("clb NAT, IPv6, slow path", "clb+slow/nat 6"),
]


def name_of(system, flow):
    if isinstance(system, dict):
        return system.get(flow)
    base, _, family = system.partition(" ")
    if family:
        flow = re.sub("^(udp|tcp)", r"\g<1>6", flow)
    return f"{base}/{flow}"


def results(file):
    """All results; none where that benchmark did not run."""
    path = f"{TOP}build/bench/{file}.json"
    if not os.path.exists(path):
        return []
    with open(path) as f:
        return json.load(f)["results"]


def load(file, unit=None):
    """The results of a unit."""
    return {r["name"]: r["value"] for r in results(file)
            if unit in (None, r["unit"])}


def rst(rows):
    """A simple table; the first row is the head. None without a figure."""
    if all(cell == "-" for row in rows[1:] for cell in row[1:]):
        return None
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells)]
    ruler = "  ".join("=" * w for w in widths)
    lines = ["  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w)
                       in enumerate(zip(row, widths))).rstrip()
             for row in cells]
    return "\n".join([ruler, lines[0], ruler, *lines[1:], ruler])


def by_flow(values):
    """A row for each system, a column for each kind of flow."""
    rows = [["", "UDP in", "UDP reply", "TCP in", "TCP reply", "UDP new",
             "TCP all"]]
    for label, system in SYSTEMS:
        cells = []
        for flow in FLOWS:
            name = name_of(system, flow)
            # some have no size in their name, and floors have another
            near = [name, f"{name}@1000", (name or "").split("@")[0]]
            cells.append(next((values[n] for n in near if n in values), "-"))
        rows.append([label, *cells])
    return rst(rows)


def packets():
    return by_flow(load("l4", "insn"))


def times():
    return by_flow(load("l4-native", "ns"))


def profile():
    """Functions with an instruction or more in any case, the largest first."""
    path = f"{TOP}build/bench/profile.json"
    if not os.path.exists(path):
        return None
    with open(path) as file:
        cases = json.load(file)
    names = {name for insn in cases.values() for name in insn}

    def row(name):
        return [insn.get(name, 0) for insn in cases.values()]
    shown = sorted((name for name in names
                    if any(abs(n) >= 1 for n in row(name))),
                   key=lambda name: -max(row(name)))
    rows = [["", *(case.removesuffix("/established/in") for case in cases)]]
    rows += [[name, *map(round, row(name))] for name in shown]
    rows.append(["all", *(round(sum(insn.values()))
                          for insn in cases.values())])
    return rst(rows)


def sizes():
    insn, ratio = load("l4", "insn"), load("l4", "ratio")
    rows = [["", "insn", "ratio"]]
    for name, value in insn.items():
        if not re.match(r"clb\+(?!slow)", name):
            continue
        found = [v for k, v in ratio.items() if k.startswith(name + ":")]
        rows.append([name, value, f"{found[0]:.3f}" if found else "-"])
    return rst(rows)


def sessions():
    values, ratio = load("l4", "insn"), load("l4", "ratio")
    rows = [["", "1 k", "50 k", "1 M", "1 M / 1 k"]]
    for name in values:
        case, _, n = name.partition("@")
        if n == "50000" and "backlog" not in case:
            rows.append([case] + [values.get(f"{case}@{n}", "-") for n in
                                  ("1000", "50000", "1000000")] +
                        [ratio.get(f"{case}@1000000:1000", "-")])
    return rst(rows)


def memory():
    values = load("l4", "bytes")
    ratio = load("l4", "ratio")
    rows = [["", "value"]]
    for name, value in values.items():
        rows.append([name, f"{value} bytes"])
    for name, value in ratio.items():
        if name.startswith("clb/list"):
            rows.append([name, f"{value} (1: linear)"])
    return rst(rows)


def native():
    """What depends on the number of sessions; the rest is in times()."""
    values, ratio = load("l4-native", "ns"), load("l4-native", "ratio")
    rows = [["", "ns", "/ IPVS", "/ forwarding", "/ 1 k sessions", "at best"]]
    for name, value in values.items():
        if re.match("limit/memory|forward.*@|clb/list|"
                    "(clb|ipvs)/nat/udp/established", name):
            peers = [ratio.get(f"{name}:{peer}", "-")
                     for peer in ("ipvs", "forward", "1000", "bound")]
            rows.append([name, value, *peers])
    return rst(rows)


def sync():
    values = load("sync")
    rows = [["", "clb", "IPVS", ""]]
    for result in results("sync"):
        system, _, case = result["name"].partition("/sync/")
        if system == "clb" and not case.endswith(":ipvs"):
            rows.append([case, result["value"],
                         values.get(f"ipvs/sync/{case}", "-"),
                         result["unit"]])
    return rst(rows)


def throughput():
    rows = [["", "ratio"]]
    for name, value in load("l4-native", "ratio").items():
        if "throughput" in name:
            rows.append([name, value])
    return rst(rows)


def http():
    values = load("l7")
    rows = [["", "clbd", "nginx", "HAProxy", "clbd / best", ""]]
    units = {"memory/idle": "bytes", "http1/keepalive/p99-at-70%": "ms"}
    for name in values:
        system, _, case = name.partition("/")
        if system != "clbd" or ":" in case:
            continue
        row = [values.get(f"{s}/{case}", "-")
               for s in ("clbd", "nginx", "haproxy")]
        rows.append([case, *row, values.get(f"{name}:best", "-"),
                     units.get(case, "requests")])
    return rst(rows)


def main():
    with open(PAGE) as file:
        page = file.read()
    for table in (packets, profile, sizes, sessions, memory, times, native,
                  sync, throughput, http):
        name, text = table.__name__, table()
        if not text:
            continue
        page, n = re.subn(rf"(\.\. begin {name}\n).*?(\.\. end {name}\n)",
                          lambda m: f"{m[1]}\n{text}\n\n{m[2]}", page,
                          flags=re.DOTALL)
        if n != 1:
            raise SystemExit(f"no place for {name}")
    with open(PAGE, "w") as file:
        file.write(page)


main()
