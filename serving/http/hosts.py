"""Under which names the service answers, and which pages may have it change something.

A page of another site can send requests from its visitor's browser to an API on the same machine:
to another address (then the browser tells its `Origin`), or by a name of its own that resolves to
this machine (then `Host` is that name).
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.http.problems import problem_response
from serving.settings import is_loopback


class HostCheck:
    """Refuse requests that were sent to a name that is not the service's (421).

    Args:
        app: the application inside.
        allowed: names beside those of this machine's loopback.
    """

    def __init__(self, app: ASGIApp, allowed: Collection[str]) -> None:
        self.app = app
        self._allowed = frozenset(name.lower() for name in allowed)
        self._is_ours = lru_cache(maxsize=1024)(self._compare)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse one request; one without a name (HTTP/1.0) is served."""
        if scope["type"] == "http":
            for name, value in scope["headers"]:
                if name == b"host" and not self._is_ours(value):
                    detail = "the service does not answer under this host name"
                    await problem_response(421, detail)(scope, receive, send)
                    return
        await self.app(scope, receive, send)

    def _compare(self, host: bytes) -> bool:
        try:
            name = urlsplit(f"//{host.decode('ascii')}").hostname or ""
        except ValueError:
            return False
        return name in self._allowed or is_loopback(name) or name.endswith(".localhost")


def is_own_page(headers: Headers) -> bool:
    """Whether a browser sent the request for a page of this service."""
    if site := headers.get("sec-fetch-site"):  # which no page can forge
        return site == "same-origin"
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == headers.get("host")


def is_foreign_page(headers: Headers, allowed: Collection[str]) -> bool:
    """Whether a browser sent the request for a page of another origin that is not allowed."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin in allowed or "*" in allowed or (origin is None and site in (None, "none")):
        return False
    return not is_own_page(headers)
