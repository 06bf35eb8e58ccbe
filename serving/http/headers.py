"""What browsers are told about every answer."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from urllib.parse import urlsplit

Header = tuple[bytes, bytes]

NAME = "content-security-policy"
_ALWAYS = "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
OWN_FILES = f"default-src 'self'; {_ALWAYS}"
"""A page that loads files of this service and asks it, and nothing else."""
REPORT = (
    f"default-src 'self'; img-src 'self' data:; font-src 'self' data:; "
    f"style-src 'self' 'unsafe-inline'; {_ALWAYS}"
)
"""A page that holds its style and typeface, as the drift reports do, and no script."""
SWAGGER = (
    f"default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    f"script-src 'self' 'unsafe-inline'; {_ALWAYS}"
)
"""FastAPI's page starts Swagger UI with a script of its own."""

ALWAYS: tuple[Header, ...] = ((b"x-content-type-options", b"nosniff"),)
PAGES: tuple[Header, ...] = (
    (NAME.encode(), REPORT.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
"""For HTML that brings no policy of its own."""


def secured(headers: Iterable[Header]) -> list[Header]:
    """Return an answer's headers with those that make it safe to look at; its own stay."""
    found = list(headers)
    page = any(n == b"content-type" and v.startswith(b"text/html") for n, v in found)
    own = {name for name, _ in found}
    return [*found, *(h for h in (*ALWAYS, *(PAGES if page else ())) if h[0] not in own)]


def relative_location(headers: Iterable[Header], path: str) -> list[Header]:
    """Return a redirection's headers with its address relative to the request's path.

    An absolute one is made of the `Host` header and the path as they arrive here: a proxy may have
    changed both, and the scheme.
    """
    return [
        (name, _relative(value.decode(), path).encode() if name == b"location" else value)
        for name, value in headers
    ]


def _relative(address: str, path: str) -> str:
    parts = urlsplit(address)
    folder, name = posixpath.split(parts.path)
    here = posixpath.relpath(folder or "/", posixpath.dirname(path) or "/")
    if not name:  # the address of a folder
        here, name = posixpath.split(here)
        name += "/"
    query = f"?{parts.query}" if parts.query else ""
    return f"{posixpath.join(here, name)}{query}"
