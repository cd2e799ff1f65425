# SPDX-License-Identifier: MIT
"""Parts of a test and its end, as in lib.sh: PARTS="a b" names the parts that
are wanted, STOP_AT=REGEX the case that ends the test if it fails."""
import os
import re


def part(name):
    wanted = os.environ.get("PARTS", "").split()
    return not wanted or name in wanted


def stops_at(name):
    last = os.environ.get("STOP_AT")
    return bool(last) and re.search(last, name) is not None
