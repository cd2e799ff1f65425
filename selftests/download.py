#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A download that lasts for as long as a test wants, at its own speed.

download.py: reads commands from standard input and answers each with one line:

begin ADDRESS PORT PATH SIZE	"begun", when the first of so many bytes are there;
				those up to the middle come slowly from then on,
				while nobody asks, the others not at all
end FILE			reads the rest: "whole", if it is what FILE has

What happens between the two happens to a download, before its second half.
"""
import os
import selectors
import socket
import sys

PATIENCE = 15 * int(os.environ.get("CLB_SLOW", "1"))  # without a byte
PIECE, PAUSE = 8192, 0.02


class Download:
    def __init__(self):
        self.sock = None
        self.data = b""
        self.half = 0

    def begin(self, address, port, path, size):
        self.sock = socket.create_connection((address, int(port)), PATIENCE)
        self.sock.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        self.data = bytearray()
        while b"\r\n\r\n" not in self.data:
            self.read()
        _, self.data = self.data.split(b"\r\n\r\n", 1)
        self.half = int(size) // 2
        return "begun"

    def read(self, size=PIECE):
        """Is there more?"""
        piece = self.sock.recv(size)
        self.data += piece
        return piece

    def end(self, path):
        while self.read(1 << 16):
            pass
        self.sock.close()
        self.half = 0
        with open(path, "rb") as file:
            want = file.read()
        return "whole" if self.data == want else \
            f"{len(self.data)} bytes, not these {len(want)}"

    def flows(self):
        return len(self.data) < self.half

    def command(self, line):
        verb, *words = line.split()
        try:
            return {"begin": self.begin, "end": self.end}[verb](*words)
        except OSError as error:
            return f"error: {error} after {len(self.data)} bytes"

    def run(self):
        with selectors.DefaultSelector() as commands:
            commands.register(sys.stdin, selectors.EVENT_READ)
            while True:
                if commands.select(PAUSE if self.flows() else None):
                    print(self.command(sys.stdin.readline()), flush=True)
                elif not self.read_waiting():
                    self.half = 0

    def read_waiting(self):
        """What is there by now; none is no fault, while the way changes."""
        self.sock.setblocking(False)
        try:
            return self.read()
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            self.sock.settimeout(PATIENCE)


Download().run()
