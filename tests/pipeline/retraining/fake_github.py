"""A GitHub of our own: remembers what it is asked, and answers as the test says."""

import json
import re
import threading
from dataclasses import dataclass, field
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response
from werkzeug.datastructures import Headers


@dataclass
class Asked:
    path: str
    headers: Headers
    body: Any


@dataclass
class FakeGitHub:
    """`statuses` are given one after the other, the last one from then on; 0 means no answer."""

    server: HTTPServer
    statuses: list[int] = field(default_factory=lambda: [204])
    message: str = "Bad credentials"
    asked: list[Asked] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        anything = self.server.expect_request(re.compile(".*"), method="POST")
        anything.respond_with_handler(self.answer)

    @property
    def url(self) -> str:
        return self.server.url_for("").rstrip("/")

    def answer(self, request: Request) -> Response:
        self.asked.append(Asked(request.path, Headers(list(request.headers)), request.get_json()))
        status = self.statuses[min(len(self.asked), len(self.statuses)) - 1]
        if not status:
            self.released.wait()
        return Response(json.dumps({"message": self.message}), status or 500)
