#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: flush.py DEVICE ROUNDS FIRST

Has inject.ko send the first packet of a flow, ROUNDS times, of flows from FIRST
on, and looks until something leaves DEVICE. Prints the longest time that it took,
in ms. A heartbeat that comes first makes one time shorter, and not the longest.
"""
import sys
import time


def sent(file, device):
    """How many packets have left."""
    file.seek(0)
    for line in file:
        name, _, counters = line.partition(":")
        if name.strip() == device:
            return int(counters.split()[9])
    sys.exit(f"flush.py: no device {device}")


def wait_for_more(file, device, before, patience=5):
    """The time at which there is more; ends the program if there is none."""
    end = time.monotonic() + patience
    while True:
        if sent(file, device) > before:
            return time.monotonic()
        if time.monotonic() > end:
            sys.exit("flush.py: nothing was sent")


def main():
    device, rounds, first = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    longest = 0
    with open("/proc/inject", "w", buffering=1) as inject, \
            open("/proc/net/dev") as devices:
        for i in range(rounds):
            before = sent(devices, device)
            begin = time.monotonic()
            inject.write(f"run 1 {first + i} 1 in:\n")
            longest = max(longest,
                          wait_for_more(devices, device, before) - begin)
            # what one told of must not be what the next one waits for
            time.sleep(0.02)
    print(f"{longest * 1000:.2f}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main()
