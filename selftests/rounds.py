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

PORT = 9000
PACKETS = 4


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


def packets(family):
    """Each from a port of its own: as many sessions."""
    for _ in range(PACKETS):
        with socket.socket(family.number, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"x", (family.vip, PORT))


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
        packets(family)
        sessions += len(client.dump(Cmd.SESSION_GET, key).records)
        end(client, family, key, index % 5)
    client.must(Cmd.FLUSH)
    print(f"# {client.generation() - before} configurations, "
          f"{sessions} sessions")
    good = sessions >= count * PACKETS * 9 // 10
    print(f"{'ok' if good else 'not ok'} {count} rounds with sessions")


main()
