# SPDX-License-Identifier: MIT
"""How a program tells of a case to relay in lib.sh, which counts them."""
import sys


def tell(good, name, *reasons):
    """reasons: said if it is not good."""
    print(f"{'ok' if good else 'not ok'} {name}")
    for reason in () if good else reasons:
        print(f"# {reason}")
    # before anything else that this or another process prints
    sys.stdout.flush()
