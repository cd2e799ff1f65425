#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Traffic at full speed from a server, for the tests.

rate.py serve PORT SIZE			UDP and TCP: whoever asks is sent as much as
					goes; datagrams of SIZE bytes
rate.py udp ADDRESS PORT SECONDS	asks for so many seconds of datagrams and
					prints "BYTES MICROSECONDS": headers of IP and
					UDP included, from the first arrival at the
					socket to the last
rate.py tcp ADDRESS PORT SECONDS	waits 2 seconds for bursts to be over, then
					prints the same, data alone, for so many
					seconds
"""
import selectors
import socket
import struct
import sys
import time

WARM_UP = 2
SO_RCVBUFFORCE, SO_TIMESTAMPNS = 33, 35
UDP_HEADERS = {socket.AF_INET: 28, socket.AF_INET6: 48}


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
    udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    udp.bind(("", port))
    tcp = socket.create_server(("", port), family=socket.AF_INET6,
                               dualstack_ipv6=True)
    selector = selectors.DefaultSelector()
    selector.register(udp, selectors.EVENT_READ)
    selector.register(tcp, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is udp:
                udp_flood(udp, size)
            else:
                tcp_flood(tcp)


def arrival(sock):
    data, control, _, _ = sock.recvmsg(65536, 64)
    sec, nsec = next(struct.unpack("ll", value) for _, kind, value in control
                     if kind == SO_TIMESTAMPNS)
    return sec * 1000000 + nsec // 1000, len(data) + UDP_HEADERS[sock.family]


def ask_udp(address, port, seconds):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.connect((address, port))
        sock.send(str(seconds).encode())
        sock.settimeout(10)
        start, total = arrival(sock)
        now = start
        sock.settimeout(4)
        try:
            while True:
                now, size = arrival(sock)
                total += size
        except TimeoutError:
            return total, now - start


def read_for(sock, seconds):
    start, total = time.monotonic(), 0
    while time.monotonic() < start + seconds:
        total += len(sock.recv(1 << 18))
    return total, int((time.monotonic() - start) * 1000000)


def ask_tcp(address, port, seconds):
    with socket.create_connection((address, port), 10) as sock:
        read_for(sock, WARM_UP)
        return read_for(sock, seconds)


if sys.argv[1:2] == ["serve"] and len(sys.argv) == 4:
    serve(int(sys.argv[2]), int(sys.argv[3]))
elif len(sys.argv) == 5:
    print(*{"udp": ask_udp, "tcp": ask_tcp}[sys.argv[1]](
        sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
else:
    sys.exit(__doc__)
