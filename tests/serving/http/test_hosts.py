"""Pages of other sites, and names that are not the service's, in front of an API without a key."""

from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from serving.app import create_app
from serving.follow.loader import Served
from serving.http.security import COOKIE
from serving.settings import Settings

pytestmark = pytest.mark.anyio
KEY = "a key for the tests"
RATING = {"user_id": 77, "movieId": 10, "rating": 4.5}


def client(folder: Path, served: Served, url: str, **settings: object) -> httpx.AsyncClient:
    app = create_app(
        Settings(cache_dir=folder, ratings_file=folder / "ratings.jsonl", **settings)  # type: ignore[arg-type]  # a test's own choice of values
    )
    app.state.loader.served = served
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=url)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8000", 200),
        ("LOCALHOST", 200),
        ("127.0.0.1:8000", 200),
        ("127.8.9.1", 200),
        ("[::1]:8000", 200),
        ("films.localhost", 200),
        ("films.example:8000", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("192.0.2.7:8000", 421),
        ("[::2]", 421),
        ("[", 421),
        ("", 421),
    ],
)
async def test_only_names_of_this_machine_and_those_that_are_named(
    tmp_path: Path, served: Served, host: str, status: int
) -> None:
    named = {"allowed_hosts": ("films.example",)}
    async with client(tmp_path, served, "http://localhost", **named) as asking:
        answer = await asking.get("/users/1", headers={"Host": host})
        assert answer.status_code == status
        two = await asking.get("/users/1", headers=[("Host", "localhost"), ("Host", host)])
        assert two.status_code == status


@pytest.mark.parametrize("settings", [{"api_key": SecretStr(KEY)}, {"allowed_hosts": ("*",)}])
async def test_other_names_are_served_with_a_key_or_if_all_are_allowed(
    tmp_path: Path, served: Served, settings: dict[str, object]
) -> None:
    async with client(tmp_path, served, "http://films.example", **settings) as asking:
        assert (await asking.get("/health")).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://localhost:8000"}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://behind.a.proxy"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "https://mine.example", "Sec-Fetch-Site": "cross-site"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://localhost"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_a_foreign_page_changes_nothing(
    tmp_path: Path, served: Served, headers: Mapping[str, str], status: int
) -> None:
    named = {"cors_origins": ("https://mine.example",), "tracking_uri": "http://127.0.0.1:1"}
    async with client(tmp_path, served, "http://localhost:8000", **named) as asking:
        stored = await asking.post("/ratings", json=RATING, headers=headers)
        assert stored.status_code == status
        path = "/ratings/10?user_id=77"
        assert (await asking.delete(path, headers=headers)).status_code == status
        if status == 403:
            assert (await asking.post("/reload-model", headers=headers)).status_code == 403
        assert (await asking.get("/users/77", headers=headers)).json()["n_ratings"] == 0


OWN = {"Origin": "http://films.example"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (OWN, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({}, 401),
        ({"Origin": "https://evil.example"}, 401),
        (OWN | {"Sec-Fetch-Site": "same-site"}, 401),
        (OWN | {"Cookie": ""}, 401),
        (OWN | {"Cookie": f"{COOKIE}=page.AAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAA"}, 401),
    ],
)
async def test_the_page_of_a_service_with_a_key_may_keep_ratings(
    tmp_path: Path, served: Served, headers: Mapping[str, str], status: int
) -> None:
    named = {"api_key": SecretStr(KEY)}
    async with client(tmp_path, served, "http://films.example", **named) as asking:
        page = await asking.get("/")
        assert KEY not in page.text
        cookie = page.headers["set-cookie"]
        assert KEY not in cookie
        assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
        answer = await asking.post("/ratings", json=RATING, headers=headers)
        assert answer.status_code == status
        assert (await asking.post("/reload-model", headers=headers)).status_code == 401


async def test_a_session_ends_and_is_of_one_key(
    tmp_path: Path, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = {"api_key": SecretStr(KEY)}
    async with client(tmp_path, served, "https://films.example", **named) as asking:
        cookie = (await asking.get("/")).headers["set-cookie"]
        assert "Secure" in cookie
        own = {"Origin": "https://films.example", "Cookie": cookie.partition(";")[0]}
        assert (await asking.post("/ratings", json=RATING, headers=own)).status_code == 200
        other = {"api_key": SecretStr("another key")}
        async with client(tmp_path, served, "https://films.example", **other) as another:
            assert (await another.post("/ratings", json=RATING, headers=own)).status_code == 401
        monkeypatch.setattr("serving.http.security.SESSION_SECONDS", -1)
        assert (await asking.post("/ratings", json=RATING, headers=own)).status_code == 401


async def test_without_a_key_there_is_no_session(tmp_path: Path, served: Served) -> None:
    async with client(tmp_path, served, "http://localhost") as asking:
        assert "set-cookie" not in (await asking.get("/")).headers
