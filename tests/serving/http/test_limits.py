import asyncio
from collections.abc import AsyncIterator, Iterable

import httpx
import pytest
from fastapi import FastAPI, Request

from serving.http import problems
from serving.http.limits import MOST_CLIENTS, BodyLimit, RateLimit

pytestmark = pytest.mark.anyio


async def nothing(*_: object) -> None:
    pass


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    problems.install(app)

    @app.post("/size")
    async def size(request: Request) -> int:
        return len(await request.body())

    app.add_middleware(BodyLimit, most=100, seconds=0.2)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def chunks(parts: Iterable[bytes], pause: float = 0) -> AsyncIterator[bytes]:
    for part in parts:
        await asyncio.sleep(pause)
        yield part


@pytest.mark.parametrize(("length", "status"), [(0, 200), (100, 200), (101, 413), (10**7, 413)])
async def test_a_body_has_a_length(client: httpx.AsyncClient, length: int, status: int) -> None:
    answer = await client.post("/size", content=b"x" * length)
    assert answer.status_code == status
    if status == 413:
        assert answer.json()["detail"] == "the body is longer than 100 bytes"


@pytest.mark.parametrize(("parts", "status"), [(10, 200), (11, 413)])
async def test_chunks_are_added_up(client: httpx.AsyncClient, parts: int, status: int) -> None:
    answer = await client.post("/size", content=chunks([b"x" * 10] * parts))
    assert answer.status_code == status


async def test_a_body_that_does_not_arrive_is_given_up(client: httpx.AsyncClient) -> None:
    answer = await client.post("/size", content=chunks([b"x"] * 5, pause=0.1))
    assert answer.status_code == 408
    assert answer.json()["detail"] == "the body did not arrive within 0.2 seconds"


def limit(rate: float, burst: int) -> tuple[RateLimit, list[float]]:
    now = [1000.0]
    return RateLimit(nothing, rate, burst, clock=lambda: now[0]), now


async def test_a_burst_passes_and_then_the_rate() -> None:
    limited, now = limit(rate=2, burst=3)
    assert [limited.wait("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert limited.wait("b") == 0
    now[0] += 0.5
    assert [limited.wait("a") for _ in range(2)] == [0, 0.5]
    now[0] += 100
    assert [limited.wait("a") for _ in range(4)] == [0, 0, 0, 0.5]


async def test_as_many_clients_as_are_remembered() -> None:
    limited, _ = limit(rate=1, burst=1)
    for number in range(MOST_CLIENTS + 10):
        limited.wait(str(number))
    assert len(limited._due) == MOST_CLIENTS
    assert limited.wait("0") == 0
    assert limited.wait(str(MOST_CLIENTS + 9)) > 0


async def test_too_many_requests_are_told_when_to_come_back() -> None:
    async def answer(_: object, __: object, send: object) -> None:
        await httpx_ok(send)

    async def httpx_ok(send: object) -> None:
        assert callable(send)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    limited = RateLimit(answer, rate=0.1, burst=1)
    transport = httpx.ASGITransport(limited)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get("/movies")).status_code == 200
        refused = await client.get("/movies")
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "10"
        assert refused.json()["title"] == "Too Many Requests"
        for path in ("/health", "/ready", "/metrics"):
            assert (await client.get(path)).status_code == 200
