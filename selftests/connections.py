#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Many TCP connections at once, to servers that echo (conn.py).

connections.py ADDRESS PORT COUNT DIRECTORY

Opens COUNT connections and creates DIRECTORY/held; then uses every one of
them, round after round, and a new one between any ten, until there is
DIRECTORY/enough; from then on, each once more. Prints "ok NAME" or "not ok
NAME".
"""
import os
import resource
import socket
import sys
import time

TIMEOUT = 30


def connect(where):
    sock = socket.create_connection(where, TIMEOUT)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def use(sock, text):
    sock.sendall(text)
    data = b""
    while len(data) < len(text):
        more = sock.recv(len(text) - len(data))
        if not more:
            raise EOFError(f"sent {text}, got {data} and no more")
        data += more
    if data != text:
        raise OSError(f"sent {text}, got {data}")


class Client:
    def __init__(self, address, port, count, directory):
        self.where, self.count, self.directory = (address, port), count, directory
        self.held, self.faults = [], []
        self.uses = self.new = 0

    def attempt(self, what, job, *arguments):
        try:
            job(*arguments)
        except (OSError, EOFError) as error:
            self.faults.append(f"{what}: {error!r}")

    def open_one(self):
        self.held.append(connect(self.where))

    def once(self):
        with connect(self.where) as sock:
            use(sock, b"once")

    def fill(self):
        while len(self.held) < self.count and not self.faults:
            self.attempt("open", self.open_one)

    def round(self, pause, enough):
        """Each connection, one after the other, until one fails, which can
        take TIMEOUT, or it is enough."""
        for index, sock in enumerate(self.held):
            if self.faults or enough():
                return
            self.attempt(f"connection {index}", use, sock,
                         b"%08d" % self.uses)
            self.uses += 1
            if index % 10 == 0:
                self.attempt("new connection", self.once)
                self.new += 1
            time.sleep(pause)

    def enough(self):
        return os.path.exists(f"{self.directory}/enough")

    def run(self):
        self.fill()
        with open(f"{self.directory}/held", "w", encoding="ascii"):
            pass
        rounds = 0
        while not self.faults and not self.enough():
            # the pause leaves room for what it tests
            self.round(0.001, self.enough)
            rounds += 1
        self.round(0, lambda: False)
        print(f"# {len(self.held)} connections used {self.uses} times in "
              f"{rounds} rounds, {self.new} new ones")
        print(f"{'not ok' if self.faults else 'ok'} "
              f"{self.count} connections and the new ones without a failure")
        for fault in self.faults:
            print(f"# {fault}")


def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    Client(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]),
           sys.argv[4]).run()


main()
