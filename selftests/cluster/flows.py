#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Many connections that live long, for the cluster's tests.

flows.py serve PORT
	TCP, IPv4 and IPv6. A client's first byte says what it wants: "d": numbers,
	1023 digits and a newline, one after the other, forever; "e": its bytes back
flows.py client
	reads commands from standard input and answers each with one line:

open TRANSFERRING IDLE PORT FIRST COUNT VIP [FIRST COUNT VIP]...
			connections, by turns to each VIP, from COUNT addresses
			by turns, the first of which is FIRST
ping			uses each idle one: how many work
report			"transferring=N idle=N broken=N longest-stall=S", where
			a stall is the time between two numbers of a connection
			since the last report. Waits for another number on each.
close			all of them: "closed=N", those that were not broken
"""
import asyncio
import ipaddress
import itertools
import resource
import sys
import time

INTERVAL = 1.0		# between numbers: a slow transfer, for slow nodes
PARTS = 20		# not all connections at once
PATIENCE = 60
LINE = b"%01023d\n"


class Served(asyncio.Protocol):
    dripping = set()

    def connection_made(self, transport):
        self.transport, self.wants, self.count = transport, b"", 0

    def data_received(self, data):
        if not self.wants:
            self.wants, data = data[:1], data[1:]
            if self.wants == b"d":
                self.dripping.add(self)
        if self.wants == b"e" and data:
            self.transport.write(data)

    def connection_lost(self, exc):
        self.dripping.discard(self)

    def drip(self):
        self.transport.write(LINE % self.count)
        self.count += 1


async def serve(port):
    await asyncio.get_running_loop().create_server(
        Served, None, port, backlog=1024)
    for part in itertools.cycle(range(PARTS)):
        await asyncio.sleep(INTERVAL / PARTS)
        for served in [s for s in Served.dripping
                       if hash(s) // 16 % PARTS == part]:
            served.drip()


class Flow(asyncio.Protocol):
    """Broken is what ended, or had other bytes than it should."""

    def __init__(self, wants):
        self.wants, self.why, self.count, self.stall = wants, "", 0, 0.0
        self.pending, self.awaited, self.waiter = b"", b"", None

    def connection_made(self, transport):
        self.transport, self.last = transport, time.monotonic()
        transport.write(self.wants)

    def connection_lost(self, exc):
        self.broken(f"ended: {exc!r}")

    def broken(self, why):
        self.why = self.why or why
        self.wake()

    def wake(self):
        if self.waiter and not self.waiter.done():
            self.waiter.set_result(None)

    def data_received(self, data):
        self.pending += data
        if self.wants == b"d":
            self.take_numbers()
        elif self.pending == self.awaited:
            self.wake()

    def take_numbers(self):
        now = time.monotonic()
        self.stall = max(self.stall, now - self.last)
        self.last = now
        size = len(LINE % 0)
        while len(self.pending) >= size and not self.why:
            line, self.pending = self.pending[:size], self.pending[size:]
            if line != LINE % self.count:
                return self.broken(
                    f"{line[-9:]} instead of number {self.count}")
            self.count += 1
        self.wake()

    async def wait(self, what):
        """Until something came, or too long; in that case it is broken."""
        if self.why:
            return
        self.waiter = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait_for(self.waiter, PATIENCE)
        except asyncio.TimeoutError:
            self.broken(f"no {what} in {PATIENCE} s")

    async def ping(self, text):
        if self.why:
            return
        self.pending, self.awaited = b"", text
        self.transport.write(text)
        await self.wait("echo")


class Client:
    def __init__(self):
        self.flows = {b"d": [], b"e": []}
        self.pings = 0

    async def connect(self, wants, port, where):
        source, vip = where
        loop = asyncio.get_running_loop()
        flow = Flow(wants)
        await asyncio.wait_for(
            loop.create_connection(lambda: flow, vip, port,
                                   local_addr=(str(source), 0)), PATIENCE)
        self.flows[wants].append(flow)

    async def open(self, transferring, idle, port, *words):
        ways = [((ipaddress.ip_address(first) + i, vip)
                 for i in itertools.cycle(range(int(count))))
                for first, count, vip in zip(*[iter(words)] * 3)]
        where = itertools.chain.from_iterable(zip(*ways))
        wants = [b"d"] * int(transferring) + [b"e"] * int(idle)
        for i in range(0, len(wants), 50):	# no flood
            await asyncio.gather(*(self.connect(w, int(port), next(where))
                                   for w in wants[i:i + 50]))
        return f"transferring={self.alive(b'd')} idle={self.alive(b'e')}"

    def alive(self, wants):
        return sum(not flow.why for flow in self.flows[wants])

    async def ping(self):
        self.pings += 1
        await asyncio.gather(*(flow.ping(b"%08d" % self.pings)
                               for flow in self.flows[b"e"]))
        return f"idle={self.alive(b'e')}"

    async def report(self):
        numbers = self.flows[b"d"]
        await asyncio.gather(*(flow.wait("number") for flow in numbers))
        both = numbers + self.flows[b"e"]
        for flow in both:
            if flow.why:
                print(flow.transport.get_extra_info("sockname"), flow.why,
                      file=sys.stderr, flush=True)
        stall = max([flow.stall for flow in numbers], default=0)
        for flow in numbers:
            flow.stall = 0.0
        return (f"transferring={self.alive(b'd')} idle={self.alive(b'e')} "
                f"broken={sum(bool(flow.why) for flow in both)} "
                f"longest-stall={stall:.2f}")

    async def close(self):
        closed = self.alive(b"d") + self.alive(b"e")
        for flow in self.flows[b"d"] + self.flows[b"e"]:
            flow.transport.abort()
        self.flows = {b"d": [], b"e": []}
        return f"closed={closed}"

    async def run(self):
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := (await reader.readline()).decode():
            verb, *words = line.split()
            try:
                print(await getattr(self, verb)(*words), flush=True)
            except (OSError, AttributeError, TypeError, ValueError,
                    asyncio.TimeoutError) as error:
                print("error:", repr(error), flush=True)


def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))
    if sys.argv[1:2] == ["serve"] and len(sys.argv) == 3:
        asyncio.run(serve(int(sys.argv[2])))
    elif sys.argv[1:] == ["client"]:
        asyncio.run(Client().run())
    else:
        sys.exit(__doc__)


main()
