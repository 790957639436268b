"""A link with delay in front of a Hub: what is written to it comes out half a round trip later, either way.

Run as a program, it relays: delayed_link.py ROUND_TRIP_SECONDS FROM_PORT TO_PORT [FROM_PORT TO_PORT]...
"""

import asyncio
import collections
import contextlib
import socket
import subprocess
import sys

LARGEST_BUFFER = 32 << 20  # bytes under way in one direction of one connection


class OneWay(asyncio.Protocol):
    """Takes bytes in and gives them to the other end when their time has come."""

    def __init__(self, delay):
        self.delay = delay
        self.other = None
        self.transport = None
        self.under_way = collections.deque()
        self.buffered = 0

    def connection_made(self, transport):
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, piece):
        self.buffered += len(piece)
        if self.buffered > LARGEST_BUFFER:
            self.transport.pause_reading()
        loop = asyncio.get_running_loop()
        self.under_way.append(piece)
        loop.call_later(self.delay, self.arrive)

    def arrive(self):
        piece = self.under_way.popleft()
        self.buffered -= len(piece)
        if self.buffered <= LARGEST_BUFFER and not self.transport.is_closing():
            self.transport.resume_reading()
        if self.other.transport is None or self.other.transport.is_closing():
            return
        if piece:
            self.other.transport.write(piece)
        else:
            self.other.transport.close()

    def data_received(self, data):
        self.send(data)

    def connection_lost(self, _):
        self.send(b"")


class Accepted(OneWay):
    def __init__(self, delay, target):
        super().__init__(delay)
        self.target = target

    def connection_made(self, transport):
        super().connection_made(transport)
        transport.pause_reading()
        asyncio.get_running_loop().create_task(self.connect())

    async def connect(self):
        # A handshake takes a whole round trip, which the listener here did not.
        await asyncio.sleep(2 * self.delay)
        far = OneWay(self.delay)
        far.other, self.other = self, far
        await asyncio.get_running_loop().create_connection(lambda: far, "127.0.0.1", self.target)
        self.transport.resume_reading()


async def relay(round_trip, pairs):
    loop = asyncio.get_running_loop()
    for source, target in pairs:
        await loop.create_server(lambda target=target: Accepted(round_trip / 2, target), "127.0.0.1",
                                 source, reuse_address=True, backlog=1024)
    print("ready", flush=True)
    await asyncio.Event().wait()


@contextlib.contextmanager
def delayed(round_trip, pairs):
    words = [str(port) for pair in pairs for port in pair]
    process = subprocess.Popen([sys.executable, __file__, str(round_trip), *words], stdout=subprocess.PIPE)
    try:
        process.stdout.readline()
        yield
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[2:]]
    asyncio.run(relay(float(sys.argv[1]), list(zip(numbers[::2], numbers[1::2]))))
