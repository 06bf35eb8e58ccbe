import asyncio
from collections.abc import AsyncIterator, Iterable

import httpx
import pytest
from fastapi import FastAPI, Request

from serving.http import problems
from serving.http.limits import MOST_CLIENTS, BodyLimit, RateLimit, client_of

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
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
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
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.get("/movies")).status_code == 200
        refused = await client.get("/movies")
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "10"
        assert refused.json()["title"] == "Too Many Requests"
        for path in ("/health", "/ready", "/metrics"):
            assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize(
    ("path", "root"),
    [
        ("/pages/home.js", ""),
        ("/swagger/swagger-ui.css", ""),
        ("/films/pages/home.js", "/films"),
        ("/films/health", "/films"),
    ],
)
async def test_files_of_pages_are_not_counted(path: str, root: str) -> None:
    limited, _ = limit(rate=1, burst=1)
    scope = {"type": "http", "path": path, "root_path": root, "client": ("192.0.2.1", 1)}
    for _ in range(50):
        await limited(scope, nothing, refuse_all)  # type: ignore[arg-type]  # nothing is received
    assert not limited._due


async def refuse_all(message: object) -> None:
    raise AssertionError(message)


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
async def test_only_requests_are_limited(kind: str) -> None:
    """Other scopes have no headers, path or client of a request: they are passed on as they are."""
    scope = {"type": kind}
    passed: list[object] = []

    async def note(scope: object, receive: object, _: object) -> None:
        passed.append((scope, receive))

    limited = RateLimit(note, rate=1, burst=1)
    for app in (limited, limited, BodyLimit(note, most=1, seconds=1)):
        await app(scope, nothing, refuse_all)  # type: ignore[arg-type]  # nothing is received
    assert passed == [(scope, nothing)] * 3
    assert not limited._due


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("a:b", "a:c", False),
    ],
)
async def test_a_client_is_an_address_or_a_network(one: str, other: str, same: bool) -> None:
    assert (client_of(one) == client_of(other)) is same
