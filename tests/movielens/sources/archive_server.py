from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class ArchiveServer(ThreadingHTTPServer):
    """A stand-in for GroupLens with Range support that can be told to misbehave."""

    content = bytes(range(256)) * 12_000  # 3 MB
    cuts: int = 0  # answers still to be cut in the middle
    with_range: bool = True
    status: int = 200
    ranges: list[str | None]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/data.zip"


class Handler(BaseHTTPRequestHandler):
    server: ArchiveServer

    def do_GET(self) -> None:
        wanted = self.headers["Range"]
        self.server.ranges.append(wanted)
        start = int(wanted[6:-1]) if wanted and self.server.with_range else 0
        status = self.server.status
        if status == 200 and start:
            status = 206 if start < len(self.server.content) else 416
        body = self.server.content[start:] if status < 300 else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.server.cuts:
            self.server.cuts -= 1
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass
