#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Requests without end, whatever becomes of them.

traffic.py FILE UDP_PORT ADDRESS...

HTTP at ports 80 and 8080, UDP echo at UDP_PORT. FILE grows by a byte with
each answer.
"""
import socket
import sys
import time

TIMEOUT = 0.5
REQUEST = b"GET /files/some HTTP/1.0\r\n\r\n"


def http(family, where):
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(TIMEOUT)
        sock.connect(where)
        sock.sendall(REQUEST)
        size = 0
        while data := sock.recv(65536):
            size += len(data)
    if size < 16384:
        raise OSError(f"{size} bytes")


def udp(family, where):
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(TIMEOUT)
        sock.connect(where)
        sock.send(b"x")
        sock.recv(100)


def main():
    answers, port = sys.argv[1], int(sys.argv[2])
    kinds = ((http, 80), (http, 8080), (udp, port))
    with open(answers, "ab", buffering=0) as file:
        while True:
            for address in sys.argv[3:]:
                family = socket.AF_INET6 if ":" in address else socket.AF_INET
                for ask, number in kinds:
                    try:
                        ask(family, (address, number))
                        file.write(b".")
                    except OSError:
                        time.sleep(0.02)	# it will be back


main()
