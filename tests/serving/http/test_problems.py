import logging
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from serving.http import problems
from serving.http.middleware import RequestLog, UnexpectedErrors

pytestmark = pytest.mark.anyio


def app_that_logs(share: float) -> FastAPI:
    app = FastAPI()
    app.add_middleware(UnexpectedErrors)
    app.add_middleware(RequestLog, share=share)
    problems.install(app)

    @app.get("/double")
    async def double(number: int) -> int:
        return 2 * number

    @app.get("/broken")
    async def broken() -> None:
        raise ZeroDivisionError("a secret detail")

    return app


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app_that_logs(share=1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "status", "title"),
    [
        ("GET", "/nothing-here", 404, "Not Found"),
        ("POST", "/double", 405, "Method Not Allowed"),
        ("GET", "/double?number=x", 422, "Unprocessable"),
        ("GET", "/broken", 500, "Internal Server Error"),
    ],
)
async def test_every_error_is_a_problem_document(
    client: httpx.AsyncClient, method: str, path: str, status: int, title: str
) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == status
    assert document["title"].startswith(title)
    assert document["detail"]
    assert answer.headers["x-request-id"]


async def test_a_wrong_value_is_named_and_not_repeated(client: httpx.AsyncClient) -> None:
    document = (await client.get("/double", params={"number": "my secret"})).json()
    assert list(document["errors"]) == ["query.number"]
    assert "secret" not in str(document)


async def test_the_headers_of_an_error_are_kept(client: httpx.AsyncClient) -> None:
    assert (await client.post("/double")).headers["allow"] == "GET, HEAD"


async def test_an_unexpected_error_is_in_the_log_and_not_in_the_answer(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await client.get("/broken", headers={"x-request-id": "the-id"})
    assert "the-id" in answer.json()["detail"]
    assert "a secret detail" not in answer.text
    assert "a secret detail" in caplog.text


@pytest.mark.parametrize("sent", ["abc-1.2_3", "x" * 64])
async def test_a_proper_request_id_is_kept(client: httpx.AsyncClient, sent: str) -> None:
    answer = await client.get("/double?number=1", headers={"x-request-id": sent})
    assert answer.headers["x-request-id"] == sent


@pytest.mark.parametrize("sent", ["", "x" * 65, 'a"b', "two words", "a/b"])
async def test_another_request_id_is_replaced(client: httpx.AsyncClient, sent: str) -> None:
    answer = await client.get("/double?number=1", headers={"x-request-id": sent})
    assert len(answer.headers["x-request-id"]) == 32
    assert answer.headers["x-request-id"] != sent


async def test_a_request_is_logged_without_its_query(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "serving")
    await client.get("/double?number=1")
    fields = [vars(r)["fields"] for r in caplog.records if r.message == "request"]
    assert [(f["method"], f["path"], f["status"]) for f in fields] == [("GET", "/double", 200)]
    assert fields[0]["milliseconds"] > 0


async def test_errors_are_logged_even_when_successes_are_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "serving")
    transport = httpx.ASGITransport(app_that_logs(share=0))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        for path in ("/double?number=1", "/double?number=x", "/nothing-here"):
            await client.get(path)
    statuses = [vars(r)["fields"]["status"] for r in caplog.records if r.message == "request"]
    assert statuses == [422, 404]
