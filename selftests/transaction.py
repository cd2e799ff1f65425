#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Transactions as sockets see them: who may, when, and what others see.
Prints "ok NAME" or "not ok NAME".

transaction.py NETNS CLBCTL FILE_A FILE_B
"""
import errno
import os
import select
import subprocess
import sys
import time

import genl
from genl import A, Cmd, attr, listener, server
from tap import tell

VIP, HOST = "203.0.113.1", "198.51.100.11"
SWAPS = 30
PATIENCE = 60 * int(os.environ.get("CLB_SLOW", "1"))


def expect(name, answer, wanted, text=""):
    tell(answer.error == wanted and text in answer.text, name,
         f"wanted {wanted} '{text}', got {answer}")


def ports(client):
    """The ports of the listeners in force."""
    found = set()
    for _, record in client.dump(Cmd.LISTENER_GET).records:
        fields = dict(genl.attributes(dict(genl.attributes(record))
                                      [A.LISTENER]))
        found.add(int.from_bytes(fields[4], "big"))
    return found


def expect_ports(name, client, wanted):
    got = ports(client)
    tell(got == wanted, name, f"wanted {wanted}, got {got}")


def ownership(owner, other):
    mine, others = listener(genl.TCP, VIP, 1), listener(genl.TCP, VIP, 2)

    expect("begin", owner.call(Cmd.BEGIN), 0)
    expect("begin twice", owner.call(Cmd.BEGIN), errno.EALREADY,
           "this socket has a transaction open")
    owner.must(Cmd.LISTENER_ADD, mine)
    for cmd, payload in ((Cmd.BEGIN, b""), (Cmd.LISTENER_ADD, others),
                         (Cmd.LISTENER_SET, mine), (Cmd.FLUSH, b""),
                         (Cmd.SERVER_ADD, mine + server(HOST, 1))):
        expect(f"{cmd.name} of another socket", other.call(cmd, payload),
               errno.EBUSY, "another socket has a transaction open")
    for cmd in (Cmd.COMMIT, Cmd.ABORT):
        expect(f"{cmd.name} of another socket", other.call(cmd),
               errno.ENOENT, "this socket has no transaction open")
    expect_ports("nothing is seen before the commit", other, set())
    expect_ports("by its owner neither", owner, set())
    expect("a mistake does not end it", owner.call(Cmd.LISTENER_ADD, mine),
           errno.EEXIST)
    owner.must(Cmd.LISTENER_ADD, others)
    expect("commit", owner.call(Cmd.COMMIT), 0)
    expect_ports("all is seen after the commit", other, {1, 2})
    expect("commit twice", owner.call(Cmd.COMMIT), errno.ENOENT)
    expect("then others may", other.call(Cmd.LISTENER_DEL, others), 0)


def ending(other):
    owner = genl.Genl()
    owner.must(Cmd.BEGIN)
    owner.must(Cmd.FLUSH)
    owner.must(Cmd.ABORT)
    expect_ports("an abort changes nothing", other, {1})
    owner.must(Cmd.BEGIN)
    owner.must(Cmd.FLUSH)
    owner.close()
    expect("a transaction ends with its socket", other.call(Cmd.BEGIN), 0)
    expect_ports("and changes nothing", other, {1})
    other.must(Cmd.ABORT)
    bystander = genl.Genl()
    other.must(Cmd.BEGIN)
    bystander.close()
    expect("it does not end with the socket of another",
           other.call(Cmd.COMMIT), 0)


def settings(other):
    owner = genl.Genl()
    owner.must(Cmd.BEGIN)
    expect("settings are no part of it",
           other.call(Cmd.SETTINGS_SET, genl.nest(
               A.SETTINGS, attr(1, genl.u32(12345)))), 0)
    owner.close()


def inside(owner, other):
    """Changes that build on each other, and one taken back."""
    there = listener(genl.TCP, VIP, 1)
    owner.must(Cmd.SERVER_ADD, there + server(HOST, 1))
    owner.must(Cmd.BEGIN)
    owner.must(Cmd.LISTENER_DEL, there)
    owner.must(Cmd.LISTENER_ADD, there)
    owner.must(Cmd.SERVER_ADD, there + server(HOST, 2))
    owner.must(Cmd.SERVER_DEL, there + server(HOST, 2))
    owner.must(Cmd.SERVER_ADD, there + server(HOST, 3))
    owner.must(Cmd.SERVER_SET, there + server(HOST, 3, attr(4, genl.u16(5))))
    owner.must(Cmd.COMMIT)
    records = other.dump(Cmd.SERVER_GET, there).records
    fields = [dict(genl.attributes(dict(genl.attributes(record))[A.SERVER]))
              for _, record in records]
    got = [(int.from_bytes(one[3], "big"),
            int.from_bytes(one[4], sys.byteorder)) for one in fields]
    tell(got == [(3, 5)], "changes inside build on each other", f"{got}")


def refused_inside(owner, other):
    """Of a request with many objects all are taken or none, though the
    transaction goes on."""
    there = listener(genl.TCP, VIP, 1)
    entries = [genl.nest(A.ACL_ENTRY, attr(1, genl.address(text)))
               for text in ("10.0.0.1", "10.0.0.2", "10.0.0.1")]
    owner.must(Cmd.BEGIN)
    expect("ACL entries of which the last is wrong",
           owner.call(Cmd.ACL_ADD, there + b"".join(entries)), errno.EEXIST)
    owner.must(Cmd.COMMIT)
    left = len(other.dump(Cmd.ACL_GET, there).records)
    tell(left == 0, "a change that is refused leaves nothing behind",
         f"{left} entries")


def snapshot(client, cmd, kind, numbers):
    """What one list says, as a set."""
    answer = client.dump(cmd)
    if answer.error:
        raise OSError(answer.error, f"{cmd.name}: {answer}")
    found = []
    for _, record in answer.records:
        objects = dict(genl.attributes(record))
        key = dict(genl.attributes(objects[A.LISTENER]))
        fields = dict(genl.attributes(objects[kind]))
        found.append((key[4], *(fields[number] for number in numbers)))
    return frozenset(found), len(found)


LISTS = ((Cmd.LISTENER_GET, A.LISTENER, (6, 8)),
         (Cmd.SERVER_GET, A.SERVER, (3, 4)))


def restore(clbctl, name):
    subprocess.run([clbctl, "restore", name], check=True)


def swap(clbctl, names, enough):
    """So often, and until the other end of this pipe is closed."""
    turn = 0
    while turn < SWAPS or not select.select([enough], [], [], 0)[0]:
        restore(clbctl, names[turn % 2])
        turn += 1


def no_mixture(client, clbctl, names):
    """Lists while two configurations take turns are of the one or the other."""
    wanted = []
    for name in names:
        restore(clbctl, name)
        wanted.append([snapshot(client, *what) for what in LISTS])
    enough, more = os.pipe()
    child = os.fork()
    if not child:
        os.close(more)
        swap(clbctl, names, enough)
        os._exit(0)
    mixed, seen = 0, [0, 0]
    end = time.monotonic() + PATIENCE
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if more and (min(seen) or time.monotonic() > end):
            os.close(more)
            more = None
        for index, what in enumerate(LISTS):
            got = snapshot(client, *what)
            matches = [config[index] == got for config in wanted]
            mixed += not any(matches)
            for config in (0, 1):
                seen[config] += matches[config]
    print(f"# lists of one configuration {seen[0]}, of the other {seen[1]}")
    tell(mixed == 0, "lists during swaps are of one configuration",
         f"{mixed} mixed ones")
    tell(min(seen) > 0, "both were seen", f"{seen}")


def slow_reader(client, clbctl, names):
    """A list that was begun before a swap goes on as it began."""
    restore(clbctl, names[0])
    before = snapshot(client, *LISTS[0])
    client.send(Cmd.LISTENER_GET, flags=genl.NLM_F_DUMP)
    restore(clbctl, names[1])
    answer = client.receive()
    tell(len(answer.records) == before[1] and not answer.error,
         "a list goes on as it began", f"{len(answer.records)} records")


def main():
    genl.enter_netns(sys.argv[1])
    owner, other = genl.Genl(), genl.Genl()
    ownership(owner, other)
    ending(other)
    settings(other)
    inside(owner, other)
    refused_inside(owner, other)
    no_mixture(other, sys.argv[2], sys.argv[3:5])
    slow_reader(other, sys.argv[2], sys.argv[3:5])


main()
