#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Many TCP connections at once.

connections.py serve PORT
	echoes what it is sent
connections.py hold ADDRESS PORT COUNT DIRECTORY
	opens COUNT connections and creates DIRECTORY/held; then uses every one
	of them, round after round, and a new one between any ten, until there
	is DIRECTORY/enough. Prints "ok NAME" or "not ok NAME".
"""
import asyncio
import os
import resource
import sys

TIMEOUT = 30


async def echo(reader, writer):
    try:
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass	# the client tells of it
    writer.close()


async def serve(port):
    server = await asyncio.start_server(echo, None, port, backlog=1024)
    await server.serve_forever()


async def use(connection, text):
    reader, writer = connection
    writer.write(text)
    data = await asyncio.wait_for(reader.readexactly(len(text)), TIMEOUT)
    if data != text:
        raise OSError(f"sent {text}, got {data}")


async def once(address, port):
    connection = await asyncio.wait_for(
        asyncio.open_connection(address, port), TIMEOUT)
    await use(connection, b"once")
    connection[1].close()
    await connection[1].wait_closed()


class Client:
    def __init__(self, address, port, count, directory):
        self.where, self.count, self.directory = (address, port), count, directory
        self.held, self.faults = [], []
        self.uses = self.new = 0

    async def attempt(self, what, job):
        try:
            await job
        except (OSError, EOFError, asyncio.TimeoutError) as error:
            self.faults.append(f"{what}: {error!r}")

    async def open_one(self):
        self.held.append(await asyncio.wait_for(
            asyncio.open_connection(*self.where), TIMEOUT))

    async def fill(self):
        while len(self.held) < self.count and not self.faults:
            await asyncio.gather(*(
                self.attempt("open", self.open_one()) for _ in range(50)))

    async def round(self):
        for index, connection in enumerate(self.held):
            await self.attempt(f"connection {index}",
                               use(connection, b"%08d" % self.uses))
            self.uses += 1
            await asyncio.sleep(0.001)	# leaves room for what it tests
            if index % 10 == 0:
                await self.attempt("new connection", once(*self.where))
                self.new += 1
            if len(self.faults) > 20:
                return

    def enough(self):
        return (len(self.faults) > 20 or
                os.path.exists(f"{self.directory}/enough"))

    async def run(self):
        await self.fill()
        with open(f"{self.directory}/held", "w", encoding="ascii"):
            pass
        rounds = 0
        while not self.enough():
            await self.round()
            rounds += 1
        await self.round()
        print(f"# {len(self.held)} connections used {self.uses} times in "
              f"{rounds} rounds, {self.new} new ones")
        print(f"{'not ok' if self.faults else 'ok'} "
              f"{self.count} connections and the new ones without a failure")
        for fault in self.faults[:20]:
            print(f"# {fault}")


def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    if sys.argv[1] == "serve":
        asyncio.run(serve(int(sys.argv[2])))
    else:
        asyncio.run(Client(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]),
                           sys.argv[5]).run())


main()
