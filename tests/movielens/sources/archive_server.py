from __future__ import annotations

import re

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response


class ArchiveServer:
    """A stand-in for GroupLens with Range support that can be told to misbehave."""

    content = bytes(range(256)) * 12_000  # 3 MB

    def __init__(self, server: HTTPServer) -> None:
        self.cuts = 0  # answers still to be cut in the middle
        self.with_range = True
        self.status = 200
        self.ranges: list[str | None] = []
        self.url = server.url_for("/data.zip")
        server.expect_request(re.compile(r"/[\w-]+\.zip")).respond_with_handler(self.answer)

    def answer(self, request: Request) -> Response:
        wanted = request.headers.get("Range")
        self.ranges.append(wanted)
        start = int(wanted[6:-1]) if wanted and self.with_range else 0
        status = self.status
        if status == 200 and start:
            status = 206 if start < len(self.content) else 416
        body = self.content[start:] if status < 300 else b""
        length = str(len(body))
        if self.cuts:
            self.cuts -= 1
            body = body[: len(body) // 2]
        response = Response(body, status)
        response.headers["Content-Length"] = length
        return response
