# SPDX-License-Identifier: MIT
"""Programs that tests talk to (dialogue in lib.sh): a command is a line of
standard input, its answer a line of standard output.
"""
import sys


def obey(commands):
    """VERB WORD... is answered by commands.VERB(WORD, ...), which returns the
    answer; what it cannot do, with "error: WHY"."""
    for line in iter(sys.stdin.readline, ""):
        verb, *words = line.split()
        try:
            print(getattr(commands, verb)(*words), flush=True)
        except (OSError, AttributeError, KeyError, TypeError,
                ValueError) as error:
            print("error:", error, flush=True)
