#!/usr/bin/python3 -u
# SPDX-License-Identifier: MIT
"""The rate limit, packet by packet, on either path. For test_metering.sh, which
sets the stage.

metering.py PREFIX	runs all cases in the namespaces PREFIX-*
"""
import subprocess
import sys

from scapy.layers.inet import UDP

from wire import (BACK, CLIENT, SERVER, VIP, Lab, Tap, forwarded, host,
                  ip_packet, parse)

PORT = 53
# The least that a listener can have. Answers are so large that what is still to
# be paid for the last one is nearly a minute's worth.
RATE, BURST, SIZE = 8000, 131072, 60000
SENT, PASSED = 5, 3
WIRE = (("node", "front"), ("node", "back"), ("c1", "eth0"), ("s1", "back"),
        ("net", "node-front"), ("net", "node-back"), ("net", "c1-eth0"),
        ("net", "s1-back"))


def listen(lab, f, mode):
    lab.family = f
    lab.flush()
    lab.clb("local add", BACK[f])
    key = f"udp {host(VIP[f])}:{PORT}"
    lab.clb(f"listener add {key} mode {mode} rate {RATE} burst {BURST}")
    lab.clb(f"server add {key} {host(SERVER[f])}:{PORT}")


def outbound(lab):
    (listener,) = lab.listeners()
    return [listener[name] for name in ("out_packets", "out_bytes", "drops")]


def rate_cases(lab, f, mode, path):
    listen(lab, f, mode)
    label = f"rate {mode} IPv{f}, {path} path"
    fast = int(path == "fast")
    question = (ip_packet(f, CLIENT[f], VIP[f]) / UDP(sport=4000, dport=PORT) /
                b"question")
    (seen,) = lab.exchange([(lab.client, question)])[lab.server]
    client = parse(seen)
    header = (ip_packet(f, SERVER[f], client.src) /
              UDP(sport=PORT, dport=client.sport))
    answer = header / bytes(SIZE - len(bytes(header)))
    lab.case(f"{label}: answers beyond it are dropped",
             [(lab.server, answer)] * SENT,
             {lab.client: [forwarded(answer, src=VIP[f], dst=CLIENT[f],
                                     dport=4000)] * PASSED},
             {"drop_rate": SENT - PASSED, "fast_packets": PASSED * fast})
    lab.tap.equal(f"{label}: the listener counts what passed and what did not",
                  outbound(lab), [PASSED, PASSED * SIZE, SENT - PASSED])
    lab.case(f"{label}: questions pass", [(lab.client, question)],
             {lab.server: [seen]}, {"drop_rate": 0, "fast_packets": fast})


def main():
    for name, device in WIRE:
        subprocess.run(["ip", "-n", f"{sys.argv[1]}-{name}", "link", "set",
                        device, "mtu", str(SIZE)], check=True)
    tap = Tap()
    lab = Lab(sys.argv[1], tap)
    for setting, path in ("on", "fast"), ("off", "slow"):
        lab.clb("settings set fast-path", setting)
        for f in 4, 6:
            for mode in "nat", "fnat":
                rate_cases(lab, f, mode, path)
    lab.clb("settings set fast-path on")
    return tap.done()


sys.exit(main())
