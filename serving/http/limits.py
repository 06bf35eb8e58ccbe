"""What a client may not do: send too much, too slowly, or too often."""

from __future__ import annotations

import asyncio
import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.http.problems import problem_response

MOST_CLIENTS = 10_000
"""Clients that are remembered; the one unheard of for the longest time is forgotten first."""
NEVER_LIMITED = frozenset({"/health", "/ready", "/metrics"})
"""What supervisors ask."""
FILES = ("/pages/", "/swagger/")
"""What a page needs beside itself, in some 20 requests."""


class BodyLimit:
    """Refuse a body that is too long (413) or does not arrive in time (408).

    Args:
        app: the application inside.
        most: bytes.
        seconds: for the whole body.
    """

    def __init__(self, app: ASGIApp, most: int, seconds: float) -> None:
        self.app = app
        self.most = most
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; one without a body is let through as it is."""
        length = _body_length(scope)
        if length == 0:
            await self.app(scope, receive, send)
        elif length > self.most and math.isfinite(length):
            await problem_response(413, self._too_long)(scope, receive, send)
        else:
            await self.app(scope, self._limited(receive), send)

    @property
    def _too_long(self) -> str:
        return f"the body is longer than {self.most} bytes"

    def _limited(self, receive: Receive) -> Receive:
        """Count and time what arrives until the body is complete."""
        arrived = 0
        complete = False
        deadline = asyncio.get_running_loop().time() + self.seconds

        async def limited() -> Message:
            nonlocal arrived, complete
            if complete:
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                detail = f"the body did not arrive within {self.seconds:g} seconds"
                raise HTTPException(408, detail, {"Connection": "close"}) from None
            arrived += len(message.get("body", b""))
            if arrived > self.most:
                raise HTTPException(413, self._too_long, {"Connection": "close"})
            complete = not message.get("more_body", False)
            return message

        return limited


def _body_length(scope: Scope) -> float:
    """Return the announced length of a request's body, infinity where it is sent in chunks."""
    if scope["type"] != "http":
        return 0
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else math.inf
        if name == b"transfer-encoding":
            return math.inf
    return 0


class RateLimit:
    """Refuse a client's requests beyond an average rate (429), each worker for itself.

    The generic cell rate algorithm: a client has one number, the time at which all its requests
    so far would be due at the allowed rate; a request is refused while that is more than a burst
    ahead. A client is its address, of IPv6 the network of 64 bits that one customer has.

    Args:
        app: the application inside.
        rate: requests a second.
        burst: requests at once.
        clock: seconds.
    """

    def __init__(
        self, app: ASGIApp, rate: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.app = app
        self.pause = 1 / rate
        self.ahead = (burst - 1) * self.pause
        self.clock = clock
        self._due: OrderedDict[str, float] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse one request."""
        if scope["type"] == "http" and not _is_free(scope):
            wait = self.wait(client_of(scope["client"][0] if scope.get("client") else ""))
            if wait > 0:
                seconds = math.ceil(wait)
                refusal = problem_response(
                    429,
                    f"too many requests: try again in {seconds} s",
                    headers={"Retry-After": str(seconds)},
                )
                await refusal(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def wait(self, client: str) -> float:
        """Take note of a request; return 0, or how many seconds too early it is."""
        now = self.clock()
        due = max(self._due.get(client, now), now)
        if (early := due - now - self.ahead) > 0:
            return early
        self._due[client] = due + self.pause
        self._due.move_to_end(client)
        if len(self._due) > MOST_CLIENTS:
            self._due.popitem(last=False)
        return 0.0


def _is_free(scope: Scope) -> bool:
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    return path in NEVER_LIMITED or path.startswith(FILES)


@lru_cache(maxsize=MOST_CLIENTS)
def client_of(address: str) -> str:
    """Return what stands for a client: its IPv4 address, or its network of 64 bits of IPv6."""
    if ":" not in address:
        return address
    try:
        found = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    return str(found.ipv4_mapped or ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))
