#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Traffic at full speed from a server, for the tests.

rate.py serve PORT SIZE			UDP and TCP: whoever asks is sent as much as
					goes; datagrams of SIZE bytes
rate.py udp SECONDS [ADDRESS PORT]...	asks each for so many seconds of datagrams, all
					at the same time, and prints for each
					"BYTES MICROSECONDS": headers of IP and UDP
					included, from the first arrival at the socket
					to the last
rate.py tcp SECONDS [ADDRESS PORT]...	waits 2 seconds for bursts to be over, then
					prints the same, data alone, for so many
					seconds
"""
import selectors
import socket
import struct
import sys
import threading
import time

WARM_UP = 2
SILENCE = 1         # a flood that lasts has no such gap
SO_RCVBUFFORCE, SO_TIMESTAMPNS = 33, 35
UDP_HEADERS = {socket.AF_INET: 28, socket.AF_INET6: 48}


def udp_flood(sock, data, peer, size):
    end = time.monotonic() + float(data)
    payload = bytes(size)
    while time.monotonic() < end:
        for _ in range(50):
            sock.sendto(payload, peer)


def tcp_flood(sock):
    payload = bytes(1 << 18)
    try:
        while True:
            sock.sendall(payload)
    except ConnectionError:
        sock.close()


def begin(flood, *arguments):
    threading.Thread(target=flood, args=arguments, daemon=True).start()


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
                begin(udp_flood, udp, *udp.recvfrom(100), size)
            else:
                begin(tcp_flood, tcp.accept()[0])


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
        sock.settimeout(10)
        # the kernel may not have begun to look when packets come
        start = time.time_ns() // 1000
        sock.send(str(seconds).encode())
        now, total = arrival(sock)
        sock.settimeout(SILENCE)
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


def ask(protocol, seconds, targets):
    """Each target, for a line each; 0 bytes of one that could not be asked."""
    results = [None] * len(targets)

    def one(i):
        results[i] = {"udp": ask_udp, "tcp": ask_tcp}[protocol](*targets[i],
                                                                seconds)

    threads = [threading.Thread(target=one, args=(i,))
               for i in range(len(targets))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        print(*(result or (0, int(seconds * 1000000))))


if sys.argv[1:2] == ["serve"] and len(sys.argv) == 4:
    serve(int(sys.argv[2]), int(sys.argv[3]))
elif len(sys.argv) >= 5 and len(sys.argv) % 2:
    ask(sys.argv[1], float(sys.argv[2]),
        list(zip(sys.argv[3::2], map(int, sys.argv[4::2]))))
else:
    sys.exit(__doc__)
