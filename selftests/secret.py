#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Looks for the secrets of sync in every byte that the module says.

secret.py FILE OTHER: in the namespace of a node that was started with the secret
of FILE, as key id 0; OTHER has another one. Prints "ok NAME" or "not ok NAME".
"""
import subprocess
import sys

import genl
from genl import A, Cmd, attr, nest, u8, u16, u32
from tap import tell

# enum clb_sync_attr
NODE, INTERFACE, GROUP, KEY_ID, SECRET = 3, 4, 5, 9, 10


class Ear(genl.Genl):
    """Keeps what it hears."""

    def __init__(self):
        self.heard = b""
        super().__init__()

    def datagram(self):
        data = super().datagram()
        self.heard += data
        return data

    def drain(self):
        """What is there already: events come before the answer."""
        self.sock.setblocking(False)
        try:
            while True:
                self.datagram()
        except BlockingIOError:
            pass
        self.sock.settimeout(self.timeout)

    def take_heard(self):
        heard, self.heard = self.heard, b""
        return heard


class Search:
    def __init__(self, paths):
        self.secrets = []
        for path in paths:
            with open(path, encoding="ascii") as file:
                self.secrets.append(bytes.fromhex(file.read().strip()))

    def has(self, heard):
        """A part of a secret is a part too many."""
        return [name for secret in self.secrets
                for name, text in (("bytes", secret[4:28]),
                                   ("hex", secret[4:28].hex().encode()))
                if text in heard or text in heard.lower()]

    def nowhere(self, heard, least, name):
        found = self.has(heard)
        tell(len(heard) >= least and not found, name,
             f"{len(heard)} bytes; found: {found}")

    def run(self):
        ear, events = Ear(), Ear()
        events.subscribe("events")
        tell(self.has(b"x" + self.secrets[0]) == ["bytes"] and
             self.has(self.secrets[1].hex().encode()) == ["hex"],
             "the search finds them where they are")
        ear.take_heard()
        events.take_heard()
        self.asked(ear)
        self.nowhere(ear.take_heard(), 1000, "no secret is in any list")
        self.refused(ear)
        self.replaced(ear, events)
        log = subprocess.run(["dmesg"], check=True, capture_output=True)
        self.nowhere(log.stdout, 1, "nor in the kernel's log")

    def asked(self, ear):
        """All that may be asked for."""
        for command in Cmd:
            if command.name.endswith("_GET"):
                ear.call(command)
                ear.dump(command)

    def secret(self, key_id, secret):
        return nest(A.SYNC, attr(KEY_ID, u8(key_id)),
                    attr(SECRET, secret))

    def refused(self, ear):
        """The kernel says back what it refuses."""
        for request in (
                (Cmd.SYNC_SECRET_ADD, self.secret(0, self.secrets[1])),
                (Cmd.SYNC_START, nest(
                    A.SYNC, attr(NODE, u16(1)),
                    attr(INTERFACE, u32(1)),
                    attr(GROUP, genl.address("239.7.0.1")),
                    attr(SECRET, self.secrets[0])))):
            answer = ear.call(*request)
            tell(answer.error, f"{request[0].name} is refused", str(answer))
        self.nowhere(ear.take_heard(), 100, "no secret is in what is refused")

    def replaced(self, ear, events):
        for key_id, other in (1, 0), (0, 1):
            ear.must(Cmd.SYNC_SECRET_ADD,
                     self.secret(key_id, self.secrets[key_id]))
            ear.must(Cmd.SYNC_SECRET_USE,
                     nest(A.SYNC, attr(KEY_ID, u8(key_id))))
            self.asked(ear)
            ear.must(Cmd.SYNC_SECRET_DEL,
                     nest(A.SYNC, attr(KEY_ID, u8(other))))
        self.nowhere(ear.take_heard(), 1000,
                     "nor in answers to changes, and lists amid them")
        events.drain()
        self.nowhere(events.take_heard(), 600, "nor in the events of these")


if __name__ == "__main__":
    Search(sys.argv[1:]).run()
