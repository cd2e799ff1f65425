#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Connections that are held open, for the tests.

conn.py serve NAME PORT		TCP, IPv4 and IPv6: echo. Prints "open", "eof",
				"reset" as it happens to a connection, with the
				client's port. "bye" closes it, "abort" resets
				it, "who" is answered by NAME
conn.py client			reads commands from standard input and answers
				each with one line:

open ID ADDRESS PORT [COUNT [SOURCE_PORT]]	TCP connections, used once each
ping ID [SECONDS]				how many of them still work; each
						has so much time to answer
who ID						how many at each server: "s1=2 s2=1"
ended ID SECONDS [COUNT]			how they ended, without a word
						of ours: "reset=1 eof=0 open=2",
						so long after COUNT had
close ID [rst]					close, or abort, them
reuse ADDRESS PORT COUNT SOURCE_PORT HOW	connections in a row from one port
						that end by client, server,
						client-rst or server-rst; how
						many worked
uopen ID ADDRESS PORT				UDP
ask ID						what it answers to "hello"
utalk ADDRESS PORT SOURCE_PORT [COUNT [BYTES]]	how many datagrams were answered
usend ADDRESS PORT SOURCE_PORT			one, and no answer is waited for
uonce ADDRESS PORT [SOURCE_ADDRESS]		the same, from a new port
usilent ADDRESS PORT [SOURCE_ADDRESS]		the same, where no answer is
						expected: waits for a second
"""
import collections
import os
import select
import selectors
import socket
import struct
import sys
import time

import commands

PATIENCE = max(10, 2 * int(os.environ.get("CLB_SLOW", "1")))
Key = collections.namedtuple("Key", "sock port")


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def close_lingering(sock, seconds):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, seconds))
    sock.close()


def abort(sock):
    close_lingering(sock, 0)


class Server:
    def __init__(self, name, port):
        self.name = name.encode()
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server(
            ("::", port), family=socket.AF_INET6, dualstack_ipv6=True,
            backlog=1024)
        self.selector.register(self.listener, selectors.EVENT_READ)

    def end(self, sock, word, how=socket.socket.close):
        print(word, sock.port, flush=True)
        self.selector.unregister(sock.sock)
        how(sock.sock)

    def accept(self):
        sock, peer = self.listener.accept()
        self.selector.register(sock, selectors.EVENT_READ, Key(sock, peer[1]))
        print("open", peer[1], flush=True)

    def read(self, key):
        try:
            data = key.sock.recv(65536)
            if data == b"bye":
                return self.end(key, "bye")
            if data == b"abort":
                return self.end(key, "abort", abort)
            if not data:
                return self.end(key, "eof")
            key.sock.sendall(self.name if data == b"who" else data)
        except ConnectionError:
            self.end(key, "reset")

    def run(self):
        while True:
            for event, _ in self.selector.select():
                if event.fileobj is self.listener:
                    self.accept()
                else:
                    self.read(event.data)


class Client:
    def __init__(self):
        self.socks = {}

    def connect(self, address, port, source=0):
        sock = socket.socket(family_of(address))
        sock.settimeout(PATIENCE)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if source:
            sock.bind(("", source))
        sock.connect((address, port))
        return sock

    def talk(self, sock, text=b"x"):
        try:
            sock.send(text)
            return sock.recv(65536)
        except OSError:
            return b""

    def open(self, name, address, port, count=1, source=0):
        self.socks[name] = [self.connect(address, int(port), int(source))
                            for _ in range(int(count))]
        return "open " + self.ping(name)

    def ping(self, name, seconds=PATIENCE):
        for sock in self.socks[name]:
            sock.settimeout(float(seconds))
        return str(sum(self.talk(s) == b"x" for s in self.socks[name]))

    def who(self, name):
        count = collections.Counter(self.talk(s, b"who").decode()
                                    for s in self.socks[name])
        return " ".join(f"{k}={v}" for k, v in sorted(count.items()))

    def how_ended(self, sock):
        try:
            return "open" if sock.recv(1) else "eof"
        except ConnectionError:
            return "reset"

    def ended(self, name, seconds, ends=0):
        count = {"reset": 0, "eof": 0, "open": 0}
        left = set(self.socks[name])
        end = time.monotonic() + (3 * PATIENCE if int(ends) else float(seconds))
        while left:
            wait = max(0, end - time.monotonic())
            ready, _, _ = select.select(left, [], [], wait)
            if not ready:
                break
            for sock in ready:
                count[self.how_ended(sock)] += 1
                left.discard(sock)
            if sum(count.values()) == int(ends):
                end = time.monotonic() + float(seconds)
        count["open"] += len(left)
        return " ".join(f"{k}={v}" for k, v in count.items())

    def close(self, name, how=""):
        for sock in self.socks.pop(name):
            abort(sock) if how == "rst" else sock.close()
        return "closed"

    def once(self, sock, how):
        if self.talk(sock) != b"x":
            return False
        if how == "client-rst":
            abort(sock)
            return True
        if how == "client":
            sock.shutdown(socket.SHUT_WR)
        try:
            if how != "client":
                sock.send(b"abort" if how == "server-rst" else b"bye")
            end = sock.recv(1)
        except ConnectionError:
            end = None
        # Its port is free when the last ACK is there.
        close_lingering(sock, PATIENCE)
        return end == (None if how == "server-rst" else b"")

    def reuse(self, address, port, count, source, how):
        return str(sum(self.once(self.connect(address, int(port), int(source)),
                                 how)
                       for _ in range(int(count))))

    def uopen(self, name, address, port, source="", seconds=PATIENCE):
        sock = socket.socket(family_of(address), socket.SOCK_DGRAM)
        sock.settimeout(seconds)
        if source:
            sock.bind((source, 0))
        sock.connect((address, int(port)))
        self.socks[name] = [sock]
        return self.ask(name)

    def ask(self, name):
        return self.talk(self.socks[name][0], b"hello").decode() or "nothing"

    def usock(self, address, port, source):
        sock = socket.socket(family_of(address), socket.SOCK_DGRAM)
        sock.settimeout(PATIENCE)
        sock.bind(("", int(source)))
        sock.connect((address, int(port)))
        return sock

    def utalk(self, address, port, source, count=1, size=1):
        text = b"x" * int(size)
        with self.usock(address, port, source) as sock:
            return str(sum(self.talk(sock, text).endswith(b" " + text)
                           for _ in range(int(count))))

    def usend(self, address, port, source):
        with self.usock(address, port, source) as sock:
            sock.send(b"x")
        return "sent"

    def uonce(self, address, port, source="", seconds=PATIENCE):
        answer = self.uopen("", address, port, source, seconds)
        self.close("")
        return answer

    def usilent(self, address, port, source=""):
        return self.uonce(address, port, source, 1)


if sys.argv[1:2] == ["serve"] and len(sys.argv) == 4:
    Server(sys.argv[2], int(sys.argv[3])).run()
elif sys.argv[1:] == ["client"]:
    commands.obey(Client())
else:
    sys.exit(__doc__)
