#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Lists of many sessions: complete, exact, and in linear time.

sessions.py CLIENT NODE CLBCTL

CLIENT, NODE: network namespaces; UDP sessions are made by pktgen on CLIENT's
eth0. Prints "ok NAME" or "not ok NAME", "# " before reasons.
"""
import collections
import os
import subprocess
import sys
import time

import genl
import ledger
from genl import A, Cmd, listener, server
from parts import part
from tap import tell

VIP, SINK = "203.0.113.1", "198.18.0.2"
KEPT, PASSING = 5001, 5002
PKTGEN = "/proc/thread-self/net/pktgen"
FIRST_PORT, PORTS, ADDRESSES = 1024, 40000, 7	# coprime: all pairs differ
MANY = 200000 if os.environ.get("CLB_SLOW", "1") == "1" else 20000


def pktgen(name, *lines):
    for line in lines:
        with open(f"{PKTGEN}/{name}", "w", encoding="ascii") as file:
            file.write(line + "\n")


class Flood:
    """New sessions with the listener on a port of the VIP."""

    def __init__(self, mac):
        pktgen("kpktgend_0", "rem_device_all", "add_device eth0")
        pktgen("eth0", "pkt_size 60", "delay 0", f"dst {VIP}",
               f"dst_mac {mac}", f"udp_src_min {FIRST_PORT}",
               f"udp_src_max {FIRST_PORT + PORTS - 1}")

    def send(self, vip_port, count, network):
        """network: the sources are 10.network.0.1 to .7"""
        pktgen("eth0", f"count {count}", f"udp_dst_min {vip_port}",
               f"udp_dst_max {vip_port}", f"src_min 10.{network}.0.1",
               f"src_max 10.{network}.0.{ADDRESSES}")
        pktgen("pgctrl", "start")

    def fill(self, client, total, *what):
        """Until there are so many: a busy machine loses packets."""
        for _ in range(10):
            self.send(*what)
            last = -1
            while (now := open_sessions(client)) < total and now != last:
                last = now
                time.sleep(0.2)     # some may be on their way
            if now >= total:
                return


def configure(client):
    for vip_port in (KEPT, PASSING):
        timeout = genl.attr(13, genl.u32(900))
        client.must(Cmd.LISTENER_ADD,
                    listener(genl.UDP, VIP, vip_port, timeout))
        client.must(Cmd.SERVER_ADD, listener(genl.UDP, VIP, vip_port) +
                    server(SINK, 9))


def identity(record):
    """Client address, client port and port at the VIP of a session."""
    session = dict(genl.attributes(dict(genl.attributes(record))[A.SESSION]))
    return session[4], session[5], session[7]


def open_sessions(client):
    return ledger.stats(client)[ledger.STATS_SESSIONS]


class Dump:
    """A list that is read one piece at a time."""

    def __init__(self, client, payload=b""):
        self.client, self.answer = client, genl.Answer()
        self.pieces, self.done = 0, False
        client.send(Cmd.SESSION_GET, payload, flags=genl.NLM_F_DUMP)

    def read(self):
        for kind, flags, seq, body in self.client.messages():
            if seq == self.client.seq:
                self.done = (self.client.take(self.answer, kind, flags, body)
                             or self.done)
        self.pieces += 1

    def seen(self):
        return [identity(record) for _, record in self.answer.records]

    def wrong(self, kept):
        """How many of these sessions are not in the list once."""
        times = collections.Counter(self.seen())
        return sum(times[one] != 1 for one in kept)


def whole(client, payload=b""):
    dump = Dump(client, payload)
    while not dump.done:
        dump.read()
    return dump


def kept_only():
    return listener(genl.UDP, VIP, KEPT)


def buckets(client):
    return ledger.stats(client)[ledger.STATS_TABLE_BUCKETS]


def wait_for_buckets(client, enough, name):
    """A case: the table gets a size that is good enough."""
    end = time.monotonic() + 30 * genl.SLOW
    while not enough(got := buckets(client)) and time.monotonic() < end:
        time.sleep(0.1)
    tell(enough(got), name, f"{got}")


def grow(client):
    """Waits until the table has grown: the work of that would be timed."""
    sessions = open_sessions(client)
    wait_for_buckets(client, lambda got: got >= 2 * sessions,
                     f"{2 * sessions} buckets for {sessions} sessions")


def shrink(client, least):
    """Waits until the table of no sessions is small: it can only grow then,
    and grow() sees the end of that."""
    client.must(Cmd.SESSION_DEL)
    wait_for_buckets(client, lambda got: got <= least,
                     f"{least} buckets for no sessions")


def exact(client, flood):
    """While nothing changes: each once."""
    flood.fill(client, 2000, KEPT, 2000, 1)
    flood.fill(client, 3000, PASSING, 1000, 2)
    grow(client)
    seen = whole(client).seen()
    tell(len(seen) == 3000 and len(set(seen)) == 3000,
         "3000 sessions are listed, each once",
         f"{len(seen)} records of {len(set(seen))} sessions")
    count = len(whole(client, kept_only()).seen())
    tell(count == 2000, "the filter by listener lists its 2000",
         f"{count} records")
    return set(whole(client, kept_only()).seen())


def passing(client, other, flood, kept):
    """Others come and go while the list is read: the rest is in it once, also
    where a piece ends amid a bucket and the front of it goes away."""
    wrong, pieces = 0, 0
    for _ in range(6):
        flood.send(PASSING, 6000, 2)
        dump = Dump(client)
        while not dump.done:
            dump.read()
            if dump.pieces % 2:
                other.must(Cmd.SESSION_DEL, listener(genl.UDP, VIP, PASSING))
            else:
                flood.send(PASSING, 6000, 2)
        wrong += dump.wrong(kept)
        pieces += dump.pieces
    tell(wrong == 0, "sessions that stay are listed, each once, while others go",
         f"{wrong} missed or double in 6 lists of {pieces} pieces together")
    other.must(Cmd.SESSION_DEL, listener(genl.UDP, VIP, PASSING))


def growing(client, flood, kept):
    """The table grows to many times its size during a list, and amid lists
    that follow each other without a pause."""
    dump = Dump(client, kept_only())
    dump.read()
    flood.send(PASSING, MANY * 3 // 20, 2)
    while not dump.done:
        dump.read()
    wrong = dump.wrong(kept)
    tell(wrong == 0,
         "sessions are listed, each once, though the table grows meanwhile",
         f"{wrong} missed or double")

    begin, begun = os.pipe()
    child = os.fork()
    if not child:
        os.read(begin, 1)
        flood.send(PASSING, MANY, 2)
        os._exit(0)
    dump = Dump(client, kept_only())
    dump.read()
    os.write(begun, b"x")
    while not dump.done:
        dump.read()
    wrong, lists = dump.wrong(kept), 1
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        wrong += whole(client, kept_only()).wrong(kept)
        lists += 1
    tell(wrong == 0,
         "sessions are listed, each once, while the table grows",
         f"{wrong} missed or double in {lists} lists")


def count_in(clbctl, node):
    began = time.monotonic()
    output = subprocess.run([clbctl, "-n", node, "session", "count"],
                            check=True, capture_output=True, text=True)
    return int(output.stdout), time.monotonic() - began


def timed(client, clbctl, node, size):
    """The best time of three right counts, for so many sessions: a few more are
    there if packets were lost, as those that follow are of other flows."""
    total = open_sessions(client)
    counts, times = zip(*(count_in(clbctl, node) for _ in range(3)))
    tell(set(counts) == {total}, f"{size} sessions: just as many are listed",
         f"{total}, but {counts}")
    return min(times) * size / total


def linear(client, flood, clbctl, node, least):
    """Ten times the sessions take about ten times as long: in one of three
    comparisons, for others on this machine may have something to do during the
    second half of one. By the square it would be a hundred times in each."""
    for _ in range(3):
        shrink(client, least)
        best = {}
        for size in (MANY // 10, MANY):
            flood.fill(client, size, KEPT, size, 1)
            grow(client)
            best[size] = timed(client, clbctl, node, size)
        ratio = best[MANY] / best[MANY // 10]
        print(f"# {best[MANY // 10]:.3f} s, {best[MANY]:.3f} s, "
              f"ratio {ratio:.1f}")
        if ratio <= 14:
            break
    tell(ratio <= 14, "ten times the sessions take at most 14 times as long",
         f"ratio {ratio:.1f}")


def ending(client):
    client.must(Cmd.SESSION_DEL)
    left = len(whole(client).seen())
    tell(left == 0, "all of them end on request", f"{left} are left")


def main():
    where, node, clbctl = sys.argv[1:4]
    genl.enter_netns(node)
    client, other = genl.Genl(timeout=60), genl.Genl(timeout=60)
    configure(client)
    mac = subprocess.run(
        ["ip", "-n", node, "-br", "link", "show", "dev", "front"],
        check=True, capture_output=True, text=True).stdout.split()[2]
    genl.enter_netns(where)
    flood = Flood(mac)
    least = buckets(client)
    kept = exact(client, flood)
    if part("passing"):
        passing(client, other, flood, kept)
    if part("growing"):
        growing(client, flood, kept)
    if part("linear"):
        linear(client, flood, clbctl, node, least)
    ending(client)


main()
