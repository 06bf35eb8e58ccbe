import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from cinematch_dagster.demo.traffic import Traffic

Answer = tuple[int, dict[str, Any]] | None


class Api:
    """Answers each request with `answer`: a status and a document, or None: it hangs up."""

    def __init__(self, server: HTTPServer) -> None:
        self.answer = version("1")
        self.asked: list[dict[str, Any]] = []
        self.url = server.url_for("").rstrip("/")
        server.expect_request("/recommend", method="POST").respond_with_handler(self.reply)

    def reply(self, request: Request) -> Response:
        self.asked.append(request.get_json())
        if self.answer is None:
            request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            return Response()
        status, document = self.answer
        return Response(json.dumps(document), status)


@pytest.fixture
def api(httpserver: HTTPServer) -> Api:
    return Api(httpserver)


def version(name: str) -> Answer:
    return 200, {"model_version": name, "recommendations": []}


@contextmanager
def until(traffic: Traffic, requests: int) -> Iterator[None]:
    """Wait at the block's end until so many more requests were counted."""
    before = traffic.requests
    yield
    deadline = time.monotonic() + 30
    while traffic.requests < before + requests:
        assert time.monotonic() < deadline, traffic.by_status
        time.sleep(0.01)


def test_answers_are_counted_by_status_and_version(api: Api) -> None:
    with Traffic(api.url, 7) as traffic:
        for answer in (version("1"), version("2"), (503, {"detail": "no model"})):
            with until(traffic, 3):
                api.answer = answer
    assert set(traffic.by_status) == {"200", "503"}
    assert sum(traffic.by_status.values()) == traffic.requests
    assert set(traffic.by_version) == {"1", "2"}
    assert sum(traffic.by_version.values()) == traffic.by_status["200"]
    assert min(traffic.by_status["503"], *traffic.by_version.values()) >= 2
    assert api.asked == [{"user_id": 7, "top_k": 10}] * traffic.requests


def test_a_version_is_seen_first_when_it_first_answers(api: Api) -> None:
    with Traffic(api.url, 7) as traffic:
        with until(traffic, 2):
            pass
        between = time.time()
        with until(traffic, 3):
            api.answer = version("2")
        seen = dict(traffic.first_seen)
        with until(traffic, 3):
            api.answer = version("1")
    assert seen["1"] <= between <= seen["2"] <= time.time()
    assert traffic.first_seen == seen


def test_a_request_that_fails_on_the_way_is_counted(api: Api) -> None:
    api.answer = None
    with Traffic(api.url, 7) as traffic, until(traffic, 3):
        pass
    assert set(traffic.by_status) == {"RemoteProtocolError"}
    assert traffic.by_status["RemoteProtocolError"] == traffic.requests
    assert not traffic.by_version
    assert not traffic.first_seen


def test_asking_once_is_not_counted(api: Api) -> None:
    traffic = Traffic(api.url, 7)
    assert traffic.ask()["model_version"] == "1"
    assert traffic.requests == 0
    api.answer = 503, {"detail": "no model"}
    with pytest.raises(httpx.HTTPStatusError, match="503"):
        traffic.ask()
    with traffic, until(traffic, 1):
        pass


def test_no_request_follows_the_blocks_end(api: Api) -> None:
    with Traffic(api.url, 7) as traffic, until(traffic, 1):
        pass
    assert [t.name for t in threading.enumerate() if t.name == "traffic"] == []
    assert len(api.asked) == traffic.requests
