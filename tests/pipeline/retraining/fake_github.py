"""A GitHub of our own: remembers what it is asked, and answers as the test says."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class FakeGitHub:
    """`statuses` are given one after the other, the last one from then on; 0 means no answer."""

    statuses: list[int] = field(default_factory=lambda: [204])
    message: str = "Bad credentials"
    asked: list[Asked] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Answers(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                asked = Asked(
                    self.path, dict(self.headers.items()), json.loads(self.rfile.read(length))
                )
                fake.asked.append(asked)
                status = fake.statuses[min(len(fake.asked), len(fake.statuses)) - 1]
                if not status:
                    fake._released.wait()
                    return
                body = b"" if status == 204 else json.dumps({"message": fake.message}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Answers
