"""A request that asks for another protocol, as it would have been without asking."""

from __future__ import annotations

from collections.abc import Iterable

import httptools

CONNECT = b"CONNECT"


def head_without_upgrade(
    parser: httptools.HttpRequestParser, url: bytes, headers: Iterable[tuple[bytes, bytes]]
) -> bytes:
    """Return the head that a parser has just read, without `Upgrade`.

    Raises:
        httptools.HttpParserError: it is of the method CONNECT, whose upgrade is no header.
    """
    method = parser.get_method()
    if method == CONNECT:
        raise httptools.HttpParserError("CONNECT is not served")
    lines = [b"%s %s HTTP/%s" % (method, url, parser.get_http_version().encode())]
    for name, value in headers:
        if name == b"connection":
            kept = [part.strip() for part in value.split(b",")]
            value = b", ".join(part for part in kept if part.lower() != b"upgrade")
        if name != b"upgrade":
            lines.append(b"%s: %s" % (name, value))
    return b"\r\n".join([*lines, b"", b""])
