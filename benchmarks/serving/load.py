"""Load on a server, at a cost per request that is small beside any server's.

Time is taken by `perf_counter`: the loop's own clock counts milliseconds.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import random
import statistics
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, cast

import uvloop

HOST = "127.0.0.1"


@dataclass
class Load:
    """What a server did under load.

    Attributes:
        seconds: from each request to its answer.
        failures: answers whose status is not 2xx.
        lasted: seconds, until the last answer.
    """

    seconds: list[float] = field(default_factory=list)
    failures: int = 0
    lasted: float = 0.0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.lasted

    def percentile(self, share: float) -> float:
        """Return the seconds within which this share of the requests was answered."""
        ordered = sorted(self.seconds)
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)]

    @property
    def median(self) -> float:
        """Seconds of the median request."""
        return statistics.median(self.seconds)


def request(path: str, body: object) -> bytes:
    """Return a POST request as it goes over the wire."""
    content = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


class _Connection(asyncio.Protocol):
    """One connection that is kept, with one request on its way at a time."""

    def __init__(self, on_answer: Callable[[_Connection, bool], None]) -> None:
        self.sent_at = 0.0
        self._on_answer = on_answer
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def ask(self, asked: bytes, now: float) -> None:
        assert self._transport is not None
        self.sent_at = now
        self._transport.write(asked)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if end and len(body) >= _length(head):
            self._received = b""
            self._on_answer(self, head.split(b" ", 2)[1].startswith(b"2"))

    def connection_lost(self, error: Exception | None) -> None:
        if self._received or error:
            raise ConnectionError("the server closed a connection in the middle of an answer")

    def close(self) -> None:
        assert self._transport is not None
        self._transport.close()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    raise ValueError(f"an answer has no Content-Length: {head!r}")


def saturate(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> Load:
    """Ask the next request on each connection as soon as the last one is answered."""
    return _run(_saturated(port, requests, connections, seconds))


def pace(
    port: int, requests: Sequence[bytes], connections: int, seconds: float, rate: float
) -> Load:
    """Ask at random moments, `rate` times a second on average, whatever the server does.

    A request counts from the moment it was due, if all connections are busy then.
    """
    return _run(_paced(port, requests, connections, seconds, rate))


def _run(work: Coroutine[Any, Any, Load]) -> Load:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


async def _saturated(
    port: int, requests: Sequence[bytes], connections: int, seconds: float
) -> Load:
    loop, load = asyncio.get_running_loop(), Load()
    following, ended = itertools.cycle(requests), loop.create_future()
    asking = connections

    def on_answer(connection: _Connection, good: bool) -> None:
        nonlocal asking
        now = perf_counter()
        load.seconds.append(now - connection.sent_at)
        load.failures += not good
        if now < end:
            connection.ask(next(following), now)
            return
        asking -= 1
        if not asking:
            load.lasted = now - begin
            ended.set_result(None)

    opened = [await _open(port, on_answer) for _ in range(connections)]
    begin = perf_counter()
    end = begin + seconds
    for connection in opened:
        connection.ask(next(following), perf_counter())
    await ended
    for connection in opened:
        connection.close()
    return load


async def _paced(
    port: int, requests: Sequence[bytes], connections: int, seconds: float, rate: float
) -> Load:
    load = Load()
    following, waiting = itertools.cycle(requests), deque[float]()

    def on_answer(connection: _Connection, good: bool) -> None:
        load.seconds.append(perf_counter() - connection.sent_at)
        load.failures += not good
        if waiting:
            connection.ask(next(following), waiting.popleft())
        else:
            idle.append(connection)

    idle = [await _open(port, on_answer) for _ in range(connections)]
    begin = perf_counter()
    due = begin
    while due < begin + seconds:
        due += random.expovariate(rate)
        await asyncio.sleep(due - perf_counter())
        if idle:
            idle.pop().ask(next(following), perf_counter())
        else:
            waiting.append(due)
    while len(idle) < connections:
        await asyncio.sleep(0.01)
    load.lasted = perf_counter() - begin
    for connection in idle:
        connection.close()
    return load


async def _open(port: int, on_answer: Callable[[_Connection, bool], None]) -> _Connection:
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(lambda: _Connection(on_answer), HOST, port)
    return connection
