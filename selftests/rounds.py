#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Listeners, servers and sessions made and removed, over and over.

rounds.py CLIENT NODE COUNT

Prints "ok NAME" or "not ok NAME".
"""
import socket
import sys

import genl
from genl import A, Cmd, attr, listener, nest, server

VIP, POOL, PORT = "203.0.113.1", "198.51.100.1", 9000
HOSTS = ("198.51.100.11", "198.51.100.12")
PACKETS = 4


def create(client, protocol, mode):
    there = listener(protocol, VIP, PORT, attr(5, genl.u8(mode)))
    key = listener(protocol, VIP, PORT)
    client.must(Cmd.LISTENER_ADD, there)
    for host in HOSTS:
        client.must(Cmd.SERVER_ADD, key + server(host, 0))
    client.must(Cmd.ACL_ADD, key + nest(A.ACL_ENTRY,
                                        attr(1, genl.address("10.0.0.1"))))
    return key


def packets():
    """Each from a port of its own: as many sessions."""
    for _ in range(PACKETS):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"x", (VIP, PORT))


def end(client, key, way):
    """In turn all the ways in which servers and sessions can end."""
    if way == 0:
        client.must(Cmd.LISTENER_DEL, key)
    elif way == 1:
        client.must(Cmd.SERVER_DEL, key + server(HOSTS[0], 0))
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
            HOSTS[1], 0, attr(5, genl.u8(2))))
        client.must(Cmd.FLUSH)


def main():
    count = int(sys.argv[3])
    genl.enter_netns(sys.argv[2])
    client = genl.Genl()
    genl.enter_netns(sys.argv[1])
    before = client.generation()
    sessions = 0
    local = nest(A.LOCAL_ADDRESS, attr(1, genl.address(POOL)))
    for index in range(count):
        client.call(Cmd.LOCAL_ADDRESS_ADD, local)
        key = create(client, genl.UDP, index % 4)
        packets()
        sessions += len(client.dump(Cmd.SESSION_GET, key).records)
        end(client, key, index % 5)
    client.must(Cmd.FLUSH)
    print(f"# {client.generation() - before} configurations, "
          f"{sessions} sessions")
    good = sessions >= count * PACKETS * 9 // 10
    print(f"{'ok' if good else 'not ok'} {count} rounds with sessions")


main()
