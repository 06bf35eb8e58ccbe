"""What browsers are told about every answer."""

from __future__ import annotations

from collections.abc import Iterable

Header = tuple[bytes, bytes]

ALWAYS: tuple[Header, ...] = ((b"x-content-type-options", b"nosniff"),)
PAGES: tuple[Header, ...] = (
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
        b"object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
"""Nothing from other servers, no script in the page itself, nobody's frame."""


def secured(headers: Iterable[Header]) -> list[Header]:
    """Return an answer's headers with those that make it safe to look at; its own stay."""
    found = list(headers)
    page = any(n == b"content-type" and v.startswith(b"text/html") for n, v in found)
    own = {name for name, _ in found}
    return [*found, *(h for h in (*ALWAYS, *(PAGES if page else ())) if h[0] not in own)]
