#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Documentation/netlink/specs/clb.yaml says what include/uapi/linux/clb.h says:
every name, value and type, and both describe every one of them. Its limits are
those of the policies in kmod/parse*.c."""
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

TOP = pathlib.Path(__file__).resolve().parents[2]
HEADER = TOP / "include/uapi/linux/clb.h"
SPEC = TOP / "Documentation/netlink/specs/clb.yaml"
POLICIES = [TOP / "kmod" / name for name in ("parse.c", "parse_sync.c")]


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def ok(self, name, problems):
        """A case that passes if there are no problems."""
        self.count += 1
        self.failed += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {self.count} - {name}")
        for problem in problems:
            print(f"#   {problem}")

    def end(self):
        print(f"1..{self.count}")
        sys.exit(self.failed > 0)


def c_name(text):
    return text.upper().replace("-", "_")


def header_enums(text):
    """{enum: [enumerator]} in order, {enumerator: comment}."""
    enums = {}
    for name, body in re.findall(r"^enum (\w+) \{(.*?)^\};", text, re.M | re.S):
        enums[name] = re.findall(r"^\t(\w+)", body, re.M)
    docs = {}
    for block in re.findall(r"/\*\*(.*?)\*/", text, re.S):
        for name, doc in re.findall(r"^ \* @(\w+): ((?:.|\n \*\t)*)", block, re.M):
            docs[name] = " ".join(doc.replace("\n *", " ").split())
    return enums, docs


def compiled(names, macros):
    """The values the compiler sees: {name: number or string}."""
    lines = [f'printf("{n} %lld\\n", (long long){n});' for n in names]
    lines += [f'printf("{n} %s\\n", {n});' for n in macros]
    program = ("#include <stdio.h>\n#include <linux/clb.h>\n"
               "int main(void) {" + "\n".join(lines) + "return 0; }\n")
    with tempfile.TemporaryDirectory() as tmp:
        path = pathlib.Path(tmp, "abi.c")
        path.write_text(program, encoding="utf-8")
        subprocess.run(["cc", "-Wall", "-Werror", "-I", str(TOP / "include/uapi"),
                        "-o", f"{tmp}/abi", str(path)], check=True)
        output = subprocess.run([f"{tmp}/abi"], check=True, text=True,
                                capture_output=True).stdout
    return dict(line.split(" ", 1) for line in output.splitlines())


def numbered(entries, prefix, start=0):
    """[(C name, value)] of a list of the spec: each is one more than the one
    before, if it says nothing else."""
    result, value = [], start - 1
    for entry in entries:
        value = entry.get("value", value + 1)
        result.append((c_name(prefix + entry["name"]), value))
    return result


def limits(names, count_name, max_name):
    highest = max(value for _, value in names)
    return [(c_name(count_name), highest + 1), (c_name(max_name), highest)]


def spec_enums(spec):
    """{enum: [(enumerator, value)]} as the C code of the spec would be."""
    enums = {}
    for d in spec["definitions"]:
        prefix = d["name-prefix"]
        names = numbered(d["entries"], prefix)
        if d.get("render-max"):
            names += limits(names, "__" + prefix + "max", prefix + "max")
        enums[d["enum-name"].replace("-", "_")] = names
    for s in spec["attribute-sets"]:
        names = numbered(s["attributes"], s["name-prefix"], 1)
        enums[s["enum-name"].replace("-", "_")] = names + limits(
            names, s["attr-cnt-name"], s["attr-max-name"])
    ops = spec["operations"]
    names = numbered(ops["list"], ops["name-prefix"], 1)
    enums[ops["enum-name"].replace("-", "_")] = names + limits(
        names, ops["cmd-cnt-name"], ops["cmd-max-name"])
    return enums


def attributes(spec):
    """(C name, attribute, its set) of all."""
    for s in spec["attribute-sets"]:
        for a in s["attributes"]:
            yield c_name(s["name-prefix"] + a["name"]), a, s


def type_problems(spec, docs):
    """The comment of an attribute begins with its type."""
    problems = []
    enums = {d["name"]: d["enum-name"].replace("-", "_")
             for d in spec["definitions"]}
    sets = {s["name"]: s["enum-name"].replace("-", "_")
            for s in spec["attribute-sets"]}
    for name, a, _ in attributes(spec):
        if a["type"] in ("unused", "pad"):
            continue
        doc = docs.get(name, "")
        said = re.match(r"(u8|u16|u32|u64|binary|nest)\b", doc)
        # "counters of a network namespace, all u64"
        want = said[1] if said else "u64"
        if a["type"] != want:
            problems.append(f"{name}: {a['type']} in spec, {want} in header")
        big = want == "u16" and "network order" in doc
        if big != (a.get("byte-order") == "big-endian"):
            problems.append(f"{name}: byte order")
        of = re.search(r"enum (clb_\w+)", doc)
        named = enums.get(a.get("enum")) or sets.get(a.get("nested-attributes"))
        if (of and of[1]) != named:
            problems.append(f"{name}: is a {named} in spec, in header: {doc}")
    return problems


def range_problems(spec, docs):
    """Limits that the comment states are those of the spec, as numbers."""
    problems = []
    for name, a, _ in attributes(spec):
        doc = docs.get(name, "").replace(",", "").replace("10^12", str(10**12))
        for key, limit in a.get("checks", {}).items():
            if key in ("min", "max") and not re.search(rf"\b{limit}\b", doc):
                problems.append(f"{name}: {key} {limit} is not in: {doc}")
    return problems


# What limits a policy sets, in the words of the spec.
RULES = {"MIN": ["min"], "MAX": ["max"], "RANGE": ["min", "max"],
         "FULL_RANGE": ["max"]}


def policies(text):
    """(C name, limits) of each attribute that a policy has; None: they are
    written in a way that is not known here."""
    ranges = dict(re.findall(
        r"netlink_range_validation (\w+) = \{\s*\.max = (\d+)\w*,?\s*\}", text))
    for name, rule in re.findall(r"\[(CLB_\w+_A_\w+)\] =\s*(.*?),\n", text,
                                 re.S):
        macro = re.fullmatch(r"NLA_POLICY_(\w+)\(NLA_U\d+, (.*)\)", rule)
        if re.fullmatch(r"\{ \.type = NLA_U\d+ \}", rule):
            yield name, {}
        elif rule == "ADDRESS_POLICY":
            yield name, {"min-len": 4, "max-len": 16}
        elif re.fullmatch(r"NLA_POLICY_EXACT_LEN\(\d+\)", rule):
            yield name, {"exact-len": int(rule[21:-1])}
        elif macro and macro[1] in RULES:
            values = [ranges.get(word.lstrip("&"), word)
                      for word in macro[2].split(", ")]
            yield name, {key: int(value) if value.isdigit() else value
                         for key, value in zip(RULES[macro[1]], values)}
        else:
            yield name, None


def policy_problems(spec, text):
    """The limits of a policy are those of the spec, an enum its highest."""
    highest = {d["name"]: c_name(d["name-prefix"] + "max")
               for d in spec["definitions"]}
    said = {}
    for name, a, _ in attributes(spec):
        said[name] = dict(a.get("checks", {}))
        if "enum" in a:
            said[name]["max"] = highest[a["enum"]]
    found = list(policies(text))
    return [f"{name}: {limits} in policy, {said[name]} in spec"
            for name, limits in found if limits != said[name]] or (
                [] if found else ["no policy found"])


def reference_problems(spec):
    """Operations use attributes that exist."""
    top = {a["name"] for s in spec["attribute-sets"] if s["name"] == "clb"
           for a in s["attributes"]}
    groups = {g["name"] for g in spec["mcast-groups"]["list"]}
    problems = []
    for op in spec["operations"]["list"]:
        parts = [op.get("event") or {}]
        for kind in ("do", "dump"):
            body = op.get(kind) or {}
            parts += [body.get("request") or {}, body.get("reply") or {}]
        for part in parts:
            for unknown in set(part.get("attributes", [])) - top:
                problems.append(f"{op['name']}: no attribute {unknown}")
        if op.get("mcgrp") and op["mcgrp"] not in groups:
            problems.append(f"{op['name']}: no group {op['mcgrp']}")
    return problems


def undocumented(spec):
    lists = [s["attributes"] for s in spec["attribute-sets"]]
    lists += [d["entries"] for d in spec["definitions"]]
    lists += [spec["operations"]["list"], spec["definitions"],
              spec["attribute-sets"], spec["mcast-groups"]["list"]]
    return [f"no doc: {e['name']}" for entries in lists for e in entries
            if not e.get("doc")]


def main():
    tap = Tap()
    text = HEADER.read_text(encoding="utf-8")
    spec = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
    enums, docs = header_enums(text)
    in_spec = spec_enums(spec)
    macros = {"CLB_GENL_NAME": spec["name"],
              "CLB_GENL_VERSION": spec["version"],
              "CLB_GENL_MCGRP_EVENTS": spec["mcast-groups"]["list"][0]["name"]}
    numbers = [n for names in enums.values() for n in names]
    values = compiled(numbers + ["CLB_GENL_VERSION"],
                      [m for m in macros if m != "CLB_GENL_VERSION"])

    tap.ok("names and version", [f"{m}: {values[m]}, in spec {v}"
                                 for m, v in macros.items()
                                 if values[m] != str(v)])
    tap.ok("all macros are in the spec",
           sorted(set(re.findall(r"^#define (CLB_\w+)", text, re.M)) -
                  set(macros)))
    tap.ok("the same enums", sorted(set(enums) ^ set(in_spec)))
    for enum in sorted(set(enums) & set(in_spec)):
        got = [(n, int(values[n])) for n in enums[enum]]
        want = in_spec[enum]
        tap.ok(f"enum {enum}", [f"header {g}, spec {w}" for g, w in
                                zip(got, want) if g != w] or
               [f"only in one: {x}" for x in set(got) ^ set(want)])
    tap.ok("types of attributes", type_problems(spec, docs))
    tap.ok("limits of attributes", range_problems(spec, docs))
    tap.ok("limits of policies",
           policy_problems(spec, "".join(
               path.read_text(encoding="utf-8") for path in POLICIES)))
    tap.ok("operations name attributes that exist", reference_problems(spec))
    tap.ok("header describes everything",
           [f"no comment: {n}" for n in numbers
            if n not in docs and not n.startswith("__") and
            not n.endswith("_MAX")])
    tap.ok("spec describes everything", undocumented(spec))
    tap.end()


main()
