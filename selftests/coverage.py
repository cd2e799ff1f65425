#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: coverage.py DIRECTORY LOG...

How much of the module's source was reached, line by line, by all runs whose
counts are in LOG/gcov (vm/guest.sh puts them there: .gcda files under the
path where the module was built, with the .gcno files of the build still
there). A source that was built more than once, as with KUnit, is summed up.

Writes to DIRECTORY: "report", the table; for each source a listing with the
count in front of each line, as gcov does; "missing", the lines that were not
reached. Prints the table, then "covered: N.N %".
"""
import collections
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), ".."))


def objects(log):
    """Pairs of a .gcda of a run and the .gcno of the build."""
    root = os.path.join(log, "gcov")
    for directory, _, names in os.walk(root):
        for name in names:
            if name.endswith(".gcda"):
                gcda = os.path.join(directory, name)
                built = os.path.join("/", os.path.relpath(gcda, root))
                yield gcda, built[:-len("gcda")] + "gcno"


def source_name(path):
    """build/debug/kunit/tuple.h is kmod/tuple.h; None: not of the module."""
    found = re.search(r"/build/debug(?:-uml)?/k(?:mod|unit)/([a-z0-9_]+\.[ch])$", path)
    return found and os.path.join("kmod", found.group(1))


def gcov(gcda, gcno):
    """What gcov says about one object."""
    with tempfile.TemporaryDirectory() as work:
        shutil.copy(gcda, os.path.join(work, "x.gcda"))
        shutil.copy(gcno, os.path.join(work, "x.gcno"))
        result = subprocess.run(
            ["gcov", "--json-format", "--stdout", "x.gcda"], cwd=work,
            check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for line in result.stdout.splitlines():
        yield from json.loads(line)["files"]


def collect(logs):
    """Counts by source and line. A function that no object has, as an inline
    one that nobody calls, is no line either."""
    counts = collections.defaultdict(lambda: collections.defaultdict(int))
    for log in logs:
        for gcda, gcno in objects(log):
            if not os.path.exists(gcno):
                sys.exit(f"coverage.py: {gcno} is gone")
            for file in gcov(gcda, gcno):
                name = source_name(
                    os.path.join("/", file["file"]))
                for line in file["lines"] if name else ():
                    counts[name][line["line_number"]] += line["count"]
    return counts


def ranges(lines):
    """3, 4, 5, 9 as "3-5 9"."""
    out = []
    for line in lines:
        if out and out[-1][1] == line - 1:
            out[-1][1] = line
        else:
            out.append([line, line])
    return " ".join(f"{a}-{b}" if a < b else f"{a}" for a, b in out)


def listing(directory, name, lines):
    with open(os.path.join(TOP, name)) as source, \
         open(os.path.join(directory, os.path.basename(name)), "w") as out:
        for number, text in enumerate(source, 1):
            count = lines.get(number)
            mark = "-" if count is None else count or "#####"
            out.write(f"{mark:>9}:{number:5}:{text}")


def report(directory, counts):
    table, missing, reached, total = [], [], 0, 0
    for name, lines in sorted(counts.items()):
        not_reached = [n for n, count in sorted(lines.items()) if not count]
        hit = len(lines) - len(not_reached)
        reached, total = reached + hit, total + len(lines)
        table.append(f"{name:24} {hit:5} of {len(lines):5} "
                     f"{100 * hit / len(lines):6.1f} %")
        if not_reached:
            missing.append(f"{name}: {ranges(not_reached)}")
        listing(directory, name, lines)
    # rounded down: 89.96 % are not 90
    percent = reached * 1000 // total / 10
    table.append(f"{'all':24} {reached:5} of {total:5} {percent:6.1f} %")
    for name, text in (("report", table), ("missing", missing)):
        with open(os.path.join(directory, name), "w") as out:
            out.write("\n".join(text) + "\n")
    return table, percent


def main():
    directory, logs = sys.argv[1], sys.argv[2:]
    os.makedirs(directory, exist_ok=True)
    counts = collect(logs)
    if not counts:
        sys.exit("coverage.py: no counts")
    table, percent = report(directory, counts)
    print("\n".join(table))
    print(f"covered: {percent:.1f} %")


if __name__ == "__main__":
    main()
