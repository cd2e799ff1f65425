#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Listeners, servers and sessions made and removed, over and over.

rounds.py CLIENT NODE COUNT

Prints "ok NAME" or "not ok NAME".
"""
import contextlib
import socket
import sys
import time

import genl
from genl import A, Cmd, attr, listener, nest, server

PORT = 9000
PACKETS = 4
PATIENCE = 10   # seconds, more of them on a slow kernel


class Family:
    def __init__(self, number, vip, pool, hosts, stranger):
        self.number, self.vip, self.pool = number, vip, pool
        self.hosts, self.stranger = hosts, stranger


FAMILIES = (
    Family(socket.AF_INET, "203.0.113.1", "198.51.100.1",
           ("198.51.100.11", "198.51.100.12"), "10.0.0.1"),
    Family(socket.AF_INET6, "2001:db8:f::1", "2001:db8:5::1",
           ("2001:db8:5::11", "2001:db8:5::12"), "2001:db8:99::1"))


def create(client, family, protocol, mode):
    key = listener(protocol, family.vip, PORT)
    client.call(Cmd.LOCAL_ADDRESS_ADD, nest(
        A.LOCAL_ADDRESS, attr(1, genl.address(family.pool))))
    client.must(Cmd.LISTENER_ADD, listener(protocol, family.vip, PORT,
                                           attr(5, genl.u8(mode))))
    for host in family.hosts:
        client.must(Cmd.SERVER_ADD, key + server(host, 0))
    client.must(Cmd.ACL_ADD, key + nest(
        A.ACL_ENTRY, attr(1, genl.address(family.stranger))))
    return key


def listed(client, key):
    """The clients' ports of its sessions; those that have just ended may still
    be among them."""
    return {int.from_bytes(dict(genl.attributes(dict(genl.attributes(record))
                                                [A.SESSION]))[5], "big")
            for _, record in client.dump(Cmd.SESSION_GET, key).records}


def packets(client, family, key):
    """Each from a port of its own: as many sessions; how many there are. They
    are not there at once where ksoftirqd is about to run: then it is what
    handles all packets, after the turns of others, which can be whole rounds.
    """
    with contextlib.ExitStack() as stack:
        ports = set()
        for _ in range(PACKETS):
            sock = stack.enter_context(
                socket.socket(family.number, socket.SOCK_DGRAM))
            sock.sendto(b"x", (family.vip, PORT))
            ports.add(sock.getsockname()[1])
        until = time.monotonic() + PATIENCE * genl.SLOW
        while True:
            found = ports & listed(client, key)
            if found == ports or time.monotonic() > until:
                return len(found)
            time.sleep(0.001)


def end(client, family, key, way):
    """In turn all the ways in which servers and sessions can end."""
    if way == 0:
        client.must(Cmd.LISTENER_DEL, key)
    elif way == 1:
        client.must(Cmd.SERVER_DEL, key + server(family.hosts[0], 0))
        client.must(Cmd.LISTENER_DEL, key)
    elif way == 2:
        client.must(Cmd.SESSION_DEL, key)
        client.must(Cmd.LISTENER_DEL, key)
    elif way == 3:
        client.must(Cmd.BEGIN)
        client.must(Cmd.FLUSH)
        client.must(Cmd.ABORT)
        client.must(Cmd.FLUSH)
    else:
        client.must(Cmd.SERVER_SET, key + server(
            family.hosts[1], 0, attr(5, genl.u8(2))))
        client.must(Cmd.FLUSH)


def main():
    count = int(sys.argv[3])
    genl.enter_netns(sys.argv[2])
    client = genl.Genl()
    genl.enter_netns(sys.argv[1])
    before = client.generation()
    sessions = 0
    for index in range(count):
        family = FAMILIES[index // 20 % 2]	# all modes and ways in each
        key = create(client, family, genl.UDP, index % 4)
        sessions += packets(client, family, key)
        end(client, family, key, index % 5)
    client.must(Cmd.FLUSH)
    print(f"# {client.generation() - before} configurations, "
          f"{sessions} sessions")
    good = sessions == count * PACKETS
    print(f"{'ok' if good else 'not ok'} {count} rounds with sessions")
    sys.exit(not good)


main()
