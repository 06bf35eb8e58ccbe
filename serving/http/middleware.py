"""What surrounds every request: its id, figures and log line, a path prefix, unexpected errors."""

from __future__ import annotations

import logging
import random
import re
import time
import uuid

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.http.headers import relative_location, secured
from serving.http.problems import problem_response
from serving.telemetry.log import REQUEST_ID
from serving.telemetry.metrics import Observer

HEADER = "x-request-id"
ACCEPTED = re.compile(r"[\w.-]{1,64}", re.ASCII)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

logger = logging.getLogger(__name__)


class RequestLog:
    """Give each request an id (the caller's, if it sent a proper one), count it and log it.

    Args:
        app: the application inside.
        share: share of the answers below status 400 that is logged; the others always are.
    """

    def __init__(self, app: ASGIApp, share: float) -> None:
        self.app = app
        self.share = share
        self.observer = Observer()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(Headers(scope=scope).get(HEADER))
        REQUEST_ID.set(request_id)
        started = time.perf_counter()
        status = 0
        # a server sends no body to HEAD, whatever it is given
        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message.get("headers", ())
                if 300 <= status < 400:
                    headers = relative_location(headers, scope["path"])
                message["headers"] = [*secured(headers), (HEADER.encode(), request_id.encode())]
            await send(message)

        try:
            await self.app(inner, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - started
            self.observer.request(_method(scope), _route(inner), status, seconds)
            self._log(scope, status, seconds)

    def _log(self, scope: Scope, status: int, seconds: float) -> None:
        if status < 400 and random.random() >= self.share:
            return
        fields = {
            "method": scope["method"],
            "path": scope["path"],
            "status": status,
            "milliseconds": round(1000 * seconds, 3),
        }
        logger.info("request", extra={"fields": fields})


class UnexpectedErrors:
    """Answer an unexpected error with 500, and log it.

    Args:
        app: the application inside.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        begun = False

        async def noting_send(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, noting_send)
        except Exception:
            if scope["type"] != "http":
                raise
            logger.exception("unexpected error")
            if begun:
                raise
            detail = f"unexpected error; the log has request {REQUEST_ID.get()}"
            await problem_response(500, detail)(scope, receive, send)


class Prefix:
    """Serve under a path, whether the proxy in front takes it away or not.

    Args:
        app: the application inside.
        path: begins with a slash, and does not end with one.
    """

    def __init__(self, app: ASGIApp, path: str) -> None:
        self.app = app
        self.path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            path: str = scope["path"]
            whole = path == self.path or path.startswith(f"{self.path}/")
            path = path if whole else self.path + path
            scope = {**scope, "root_path": self.path, "path": path}
        await self.app(scope, receive, send)


def _route(scope: Scope) -> str:
    """Return the template of the route, such as `/movies/{movie_id}`: there are few of them."""
    route = scope.get("route")
    return getattr(route, "path", "other") or "other"


def _method(scope: Scope) -> str:
    method: str = scope["method"]
    return method if method in METHODS else "other"


def _request_id(sent: str | None) -> str:
    return sent if sent and ACCEPTED.fullmatch(sent) else uuid.uuid4().hex
