#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Traffic at full speed from a server, for the tests.

rate.py serve PORT SIZE			UDP and TCP: whoever asks is sent as much as
					goes; datagrams of SIZE bytes
rate.py udp|tcp ADDRESS PORT SECONDS	asks, waits 2 seconds for bursts to be over,
					and prints the bits per second, headers of
					IP and UDP included, of so many seconds

A datagram's time is that of its arrival at the socket.
"""
import selectors
import socket
import struct
import sys
import time

WARM_UP = 2
SO_RCVBUFFORCE, SO_TIMESTAMPNS = 33, 35
UDP_HEADERS = 28


def udp_flood(sock, size):
    data, peer = sock.recvfrom(100)
    end = time.monotonic() + float(data)
    payload = bytes(size)
    while time.monotonic() < end:
        for _ in range(50):
            sock.sendto(payload, peer)


def tcp_flood(listener):
    sock, _ = listener.accept()
    payload = bytes(1 << 18)
    try:
        while True:
            sock.sendall(payload)
    except ConnectionError:
        sock.close()


def serve(port, size):
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("", port))
    tcp = socket.create_server(("", port))
    selector = selectors.DefaultSelector()
    selector.register(udp, selectors.EVENT_READ)
    selector.register(tcp, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is udp:
                udp_flood(udp, size)
            else:
                tcp_flood(tcp)


def udp_arrivals(sock):
    while True:
        data, control, _, _ = sock.recvmsg(65536, 64)
        for _, kind, value in control:
            if kind == SO_TIMESTAMPNS:
                sec, nsec = struct.unpack("ll", value)
                yield sec + nsec / 1e9, len(data) + UDP_HEADERS


def tcp_arrivals(sock):
    while True:
        size = len(sock.recv(1 << 18))
        yield time.monotonic(), size


def measure(arrivals, seconds):
    """What came after the first packet beyond the warm-up, by its time."""
    begin, _ = next(arrivals)
    start, total = None, 0
    for now, size in arrivals:
        if start is None:
            if now - begin > WARM_UP:
                start = now
            continue
        total += size
        if now - start > seconds:
            return total * 8 / (now - start)


def ask(kind, address, port, seconds):
    if kind == "tcp":
        with socket.create_connection((address, port), 10) as sock:
            return measure(tcp_arrivals(sock), seconds)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(10)
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.connect((address, port))
        sock.send(str(seconds + WARM_UP + 1).encode())
        return measure(udp_arrivals(sock), seconds)


if sys.argv[1:2] == ["serve"] and len(sys.argv) == 4:
    serve(int(sys.argv[2]), int(sys.argv[3]))
elif len(sys.argv) == 5:
    print(round(ask(sys.argv[1], sys.argv[2], int(sys.argv[3]),
                    float(sys.argv[4]))))
else:
    sys.exit(__doc__)
