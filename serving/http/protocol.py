"""A connection with limits: how long a request's head may take, and how large it may be."""

from __future__ import annotations

import asyncio
from functools import cache
from http import HTTPStatus

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.http.problems import MEDIA_TYPE, problem_response
from serving.http.upgrades import head_without_upgrade
from serving.settings import Settings, load_settings

MAX_HEAD_BYTES = 65_536
"""Of a request line and its headers."""
MAX_HEADERS = 100
WIRE_BYTES = 8
"""For each byte of a body: so much do chunks of one byte cost."""
READ_BYTES = 2**19
"""More than a transport reads at a time: so much may come along with the end of what was before."""

HEAD_TOO_LARGE = f"the head is longer than {MAX_HEAD_BYTES} bytes or has over {MAX_HEADERS} headers"


class HeadTooLargeError(Exception):
    """A head with too many bytes or headers is complete."""


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with limits that it lacks, and without upgrades.

    A head that does not arrive in time closes the connection without an answer: there is no request
    that one could belong to. A head that is too large is 431. `Upgrade` (of `h2c`, by Java's
    HttpClient and `curl --http2`) is ignored, as RFC 9110 has it, and the request answered as any
    other. `BodyLimit` looks after bodies, uvicorn after connections that rest between requests.
    """

    _head: asyncio.TimerHandle | None = None
    _heads = 0
    _chunk = 0
    _arrived = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Read what may be a part of a request, or several."""
        self._unset_keepalive_if_required()
        heads, after_body = self._heads, self._in_body()
        self._chunk = len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, HeadTooLargeError):
                self._refuse(431, HEAD_TOO_LARGE)
            else:
                self.send_400_response("Invalid HTTP request received.")
            return
        if self._head is not None and not after_body and heads == self._heads:
            self._count(MAX_HEAD_BYTES, 431, HEAD_TOO_LARGE)
        elif self._in_body() and after_body:
            most = _settings().max_body_bytes
            self._count(
                WIRE_BYTES * most + READ_BYTES, 413, f"the body is longer than {most} bytes"
            )
        else:
            self._arrived = 0

    def on_message_begin(self) -> None:
        """Wait for the rest of the head."""
        super().on_message_begin()
        self._wait()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; a trailer, which follows a body in chunks, is dropped."""
        if self._head is not None:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Wait no longer, and begin to answer; a head with `Upgrade` is read again without."""
        self._stop()
        self._heads += 1
        if len(self.headers) > MAX_HEADERS or (
            self._arrived + self._chunk > MAX_HEAD_BYTES and self._head_bytes() > MAX_HEAD_BYTES
        ):
            raise HeadTooLargeError
        if not self.parser.should_upgrade():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End the body."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what can't be read."""
        self._refuse(400, msg)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop()
        super().connection_lost(exc)

    def _feed(self, data: bytes) -> None:
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                rest = data[upgrade.args[0] :]
                data = head_without_upgrade(self.parser, self.url, self.headers) + rest
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn
            else:
                return

    def _in_body(self) -> bool:
        return self._head is None and self.cycle is not None and self.cycle.more_body

    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _count(self, most: int, status: int, detail: str) -> None:
        """Count what arrived of a head or body that is not complete."""
        self._arrived += self._chunk
        if self._arrived > most:
            self._refuse(status, detail)

    def _refuse(self, status: int, detail: str) -> None:
        """Answer with a problem document, as all that is refused, and close."""
        if self.transport.is_closing():
            return
        body = bytes(problem_response(status, detail).body)
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
            f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n"
            "connection: close\r\n\r\n"
        )
        if self._unanswered():
            self.transport.write(head.encode() + body)
        self.transport.close()

    def _unanswered(self) -> bool:
        """Whether no answer has begun, or all that has is complete and of an earlier request."""
        cycle = self.cycle
        if cycle is None or not cycle.response_started:
            return True
        return cycle.response_complete and not self._in_body()

    def _wait(self) -> None:
        self._stop()
        self._head = self.loop.call_later(_settings().head_seconds, self.transport.close)

    def _stop(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None


@cache
def _settings() -> Settings:
    return load_settings()
