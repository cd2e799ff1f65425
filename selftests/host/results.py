#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the benchmarks make of their results: medians, ratios to peers, the
least that a ratio can be, what is beyond reach and what is missing. TAP.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

SELFTESTS = pathlib.Path(__file__).resolve().parents[1]
RESULTS = SELFTESTS / "bench/results.py"
IN = "nat/udp/established/in"
cases = []


def equal(name, got, want):
    cases.append(got == want)
    print(f"{'ok' if got == want else 'not ok'} {len(cases)} - {name}")
    if got != want:
        print(f"# {got}\n# not {want}")


def results(benchmark, lines, some=""):
    """The results by name and unit, and the table."""
    with tempfile.TemporaryDirectory() as work:
        text, output = f"{work}/text", f"{work}/{benchmark}.json"
        with open(text, "w", encoding="ascii") as file:
            file.write("\n".join(lines))
        table = subprocess.run([RESULTS, text, output], check=True, text=True,
                               stdout=subprocess.PIPE,
                               env={**os.environ, "CASES": some}).stdout
        with open(output, encoding="ascii") as file:
            found = json.load(file)["results"]
    return {(r["name"], r["unit"]): r["value"] for r in found}, table


def line(name, value, unit="ns"):
    return f"result {name} {value} {unit}"


def peers():
    found, _ = results("l4", [
        line(f"clb/{IN}@1000", 30), line(f"ipvs/{IN}@1000", 60),
        line("flowtable/" + IN, 40), line("forward", 20),
        line("clb/nat/udp6/established/in@1000", 50), line("forward6", 25),
        line(f"clb+rate/{IN}@1000", 36), line(f"clb/{IN}@50000", 90),
        line(f"clb+wrr-1000-servers/{IN}@1000", 33),
        line(f"clb+wrr/{IN}@1000", 30)])
    equal("ratios are to the peers", {
        name: value for (name, unit), value in found.items()
        if unit == "ratio"}, {
            f"clb/{IN}@1000:ipvs": 0.5, f"clb/{IN}@1000:flowtable": 0.75,
            f"clb/{IN}@1000:forward": 1.5,
            "clb/nat/udp6/established/in@1000:forward": 2,
            f"clb+rate/{IN}@1000:clb": 1.2, f"clb/{IN}@50000:1000": 3,
            f"clb+wrr-1000-servers/{IN}@1000:4-servers": 1.1})


def rounds():
    """In the second round everything took ten times as long."""
    found, _ = results("l4-native", [
        "round 0", line(f"clb/{IN}@1000", 1), line(f"ipvs/{IN}@1000", 2),
        "round 1", line(f"clb/{IN}@1000", 10), line(f"ipvs/{IN}@1000", 20),
        "round 2", line(f"clb/{IN}@1000", 2), line(f"ipvs/{IN}@1000", 8)])
    equal("a result is the median", found[(f"clb/{IN}@1000", "ns")], 2)
    equal("a ratio is the median of those of the rounds",
          found[(f"clb/{IN}@1000:ipvs", "ratio")], 0.5)
    found, _ = results("l4-native", [
        "round 0", line(f"clb/{IN}@1000", 1),
        "round 1", line(f"ipvs/{IN}@1000", 4)])
    equal("or of the medians, where no round has both",
          found[(f"clb/{IN}@1000:ipvs", "ratio")], 0.25)


def bound():
    found, _ = results("l4-native", [
        line("limit/memory/line@1000", 2),
        line("limit/memory/line@1000000", 102),
        line(f"clb/{IN}@1000", 50), line(f"clb/{IN}@1000000", 500)])
    equal("the least there can be is one look into memory more",
          found[(f"clb/{IN}@1000000:bound", "ratio")], 3)


def reach():
    name = f"clb/{IN}@1000"
    _, table = results("l4", [line(name, 851, "insn")])
    equal("more than the reach is over",
          [word for word in table.split("\n") if word.startswith(name)],
          [f"{name}       851 insn  <= 850  over"])
    equal("is named at the end", f"beyond reach: {name}\n" in table, True)
    equal("and so is what was not measured",
          [words for words in table.split("\n") if "not measured" in words
           and "clb/nat/udp/new " in words] != [], True)
    _, table = results("l4", [line(name, 850, "insn")], name)
    equal("as much as that is not, nor missing what was not wanted",
          ("beyond reach: nothing" in table, "not measured" in table),
          (True, False))


for case in peers, rounds, bound, reach:
    case()
print(f"1..{len(cases)}")
sys.exit(not all(cases))
