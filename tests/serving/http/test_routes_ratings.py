"""Ratings given through the API, and what follows from them at once."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from serving.app import create_app
from serving.follow.loader import Served
from serving.live import Event
from serving.live.file_store import FileStore
from serving.settings import Settings

pytestmark = pytest.mark.anyio
STRANGER = 77


@pytest.fixture
def app(tmp_path: Path, served: Served) -> FastAPI:
    settings = Settings(cache_dir=tmp_path, ratings_file=tmp_path / "ratings.jsonl")
    app = create_app(settings)
    app.state.loader.served = served
    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


async def rate(client: httpx.AsyncClient, user: int, movie: int, stars: float) -> httpx.Response:
    body = {"user_id": user, "movieId": movie, "rating": stars}
    return await client.post("/ratings", json=body)


async def best(client: httpx.AsyncClient, user: int, **wish: object) -> dict[str, Any]:
    answer = await client.post("/recommend", json={"user_id": user, "top_k": 3, **wish})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def movies(document: dict[str, Any]) -> list[int]:
    return [item["movieId"] for item in document["recommendations"]]


async def test_a_rating_is_answered_and_stored(client: httpx.AsyncClient, tmp_path: Path) -> None:
    answer = await rate(client, STRANGER, 10, 4.5)
    assert answer.status_code == 200
    assert answer.json() == {"user_id": STRANGER, "movieId": 10, "rating": 4.5}
    (stored,) = FileStore(tmp_path / "ratings.jsonl").after(0)
    assert (stored.event.user_id, stored.event.movie_id, stored.event.rating) == (STRANGER, 10, 4.5)


async def test_a_stranger_who_rates_is_folded_in_at_once(client: httpx.AsyncClient) -> None:
    before = await best(client, STRANGER)
    assert before["strategy"] == "popular"
    await rate(client, STRANGER, 10, 5.0)
    after = await best(client, STRANGER)
    assert (after["strategy"], after["fallback"]) == ("fold_in", True)
    assert 10 not in movies(after)
    sent_along = await best(client, 78, ratings=[{"movieId": 10, "rating": 5.0}])
    assert after["recommendations"] == sent_along["recommendations"]


async def test_a_known_user_who_rates_is_answered_with_it(client: httpx.AsyncClient) -> None:
    assert movies(await best(client, 1)) == [30, 40, 20]
    await rate(client, 1, 30, 0.5)
    after = await best(client, 1)
    assert (after["strategy"], after["fallback"]) == ("known_user", False)
    assert set(movies(after)) == {20, 40}


async def test_what_the_model_knows_already_changes_nothing(client: httpx.AsyncClient) -> None:
    before = await best(client, 1)
    await rate(client, 1, 10, 5.0)  # as in training
    assert await best(client, 1) == before


async def test_the_latest_rating_counts(client: httpx.AsyncClient) -> None:
    for stars in (5.0, 5.0, 1.0):
        await rate(client, STRANGER, 10, stars)
    changed = await best(client, STRANGER)
    once = await best(client, 78, ratings=[{"movieId": 10, "rating": 1.0}])
    assert changed["recommendations"] == once["recommendations"]


async def test_a_rating_is_taken_back(client: httpx.AsyncClient) -> None:
    before = await best(client, STRANGER)
    await rate(client, STRANGER, 10, 5.0)
    answer = await client.delete("/ratings/10", params={"user_id": STRANGER})
    assert answer.json() == {"user_id": STRANGER, "movieId": 10, "rating": None}
    assert await best(client, STRANGER) == before


async def test_a_rating_of_training_is_taken_back(client: httpx.AsyncClient) -> None:
    await client.delete("/ratings/10", params={"user_id": 1})
    after = await best(client, 1)
    assert (after["strategy"], after["fallback"]) == ("popular", True)
    assert 10 in movies(after)


async def test_ratings_sent_along_go_before_those_stored(client: httpx.AsyncClient) -> None:
    await rate(client, STRANGER, 10, 1.0)
    sent = await best(client, STRANGER, ratings=[{"movieId": 10, "rating": 5.0}])
    alone = await best(client, 78, ratings=[{"movieId": 10, "rating": 5.0}])
    assert sent["recommendations"] == alone["recommendations"]


async def test_expected_stars_follow_a_rating(client: httpx.AsyncClient) -> None:
    async def predicted() -> float:
        answer = await client.post("/predict", json={"user_id": STRANGER, "movie_id": 40})
        rating: float = answer.json()["rating"]
        return rating

    before = await predicted()
    await rate(client, STRANGER, 10, 5.0)
    assert await predicted() > before


async def test_a_user_is_described_with_what_was_rated_since(client: httpx.AsyncClient) -> None:
    await rate(client, 1, 40, 4.0)
    document = (await client.get("/users/1")).json()
    assert document == {
        "user_id": 1,
        "known": True,
        "n_ratings": 2,
        "mean_rating": 4.5,
        "genres": ["Comedy", "Western", "Drama"],
        "ratings": [
            {"movieId": 10, "title": "Title 10 (v3)", "rating": 5.0, "source": "training"},
            {"movieId": 40, "title": "Title 40 (v3)", "rating": 4.0, "source": "live"},
        ],
        "model_version": "3",
    }


async def test_somebody_unknown_is_described_as_such(client: httpx.AsyncClient) -> None:
    document = (await client.get(f"/users/{STRANGER}")).json()
    assert (document["known"], document["n_ratings"], document["mean_rating"]) == (False, 0, None)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"movieId": 999}, 404),
        ({"rating": 5.5}, 422),
        ({"rating": 3.7}, 422),
        ({"rating": None}, 422),
        ({"user_id": 0}, 422),
        ({"user_id": 2**31}, 422),
        ({"movieId": "10"}, 422),
        ({"timestamp": 1}, 422),
    ],
)
async def test_what_can_not_be_stored_is_refused(
    client: httpx.AsyncClient, tmp_path: Path, change: dict[str, object], status: int
) -> None:
    body = {"user_id": STRANGER, "movieId": 10, "rating": 4.0} | change
    answer = await client.post("/ratings", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert not (tmp_path / "ratings.jsonl").exists()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/ratings/999?user_id=1", 404),
        ("/ratings/10", 422),
        ("/ratings/10?user_id=x", 422),
        ("/ratings/10?user_id=1&rating=2", 422),
    ],
)
async def test_what_can_not_be_taken_back_is_refused(
    client: httpx.AsyncClient, path: str, status: int
) -> None:
    assert (await client.delete(path)).status_code == status


async def test_a_rating_that_is_not_stored_is_no_success(tmp_path: Path, served: Served) -> None:
    settings = Settings(cache_dir=tmp_path, ratings_file=tmp_path / "file" / "ratings.jsonl")
    app = create_app(settings)
    (tmp_path / "file").touch()
    app.state.loader.served = served
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        before = await best(client, STRANGER)
        answer = await rate(client, STRANGER, 10, 5.0)
        assert answer.status_code == 503
        assert answer.json()["detail"].startswith("the rating is not stored: the file of ratings")
        assert await best(client, STRANGER) == before


async def test_outside_local_use_writing_takes_the_key(tmp_path: Path, served: Served) -> None:
    key = SecretStr("a key of the tests")
    settings = Settings(
        environment="production", api_key=key, cache_dir=tmp_path, ratings_file=tmp_path / "r.jsonl"
    )
    app = create_app(settings)
    app.state.loader.served = served
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await rate(client, 1, 10, 5.0)).status_code == 401
        assert (await client.delete("/ratings/10?user_id=1")).status_code == 401
        client.headers["X-API-Key"] = key.get_secret_value()
        assert (await rate(client, 1, 10, 5.0)).status_code == 200


@pytest.mark.parametrize("stars", [3.9999999, 4.0000001, 0.5000001, 4.25, 0.49999999, 5.5])
async def test_stars_are_halves_exactly(client: httpx.AsyncClient, stars: float) -> None:
    assert (await rate(client, STRANGER, 10, stars)).status_code == 422
    sent = {"user_id": STRANGER, "ratings": [{"movieId": 10, "rating": stars}]}
    assert (await client.post("/recommend", json=sent)).status_code == 422


async def test_a_rating_can_be_taken_back_when_the_model_lacks_the_movie_or_there_is_none(
    app: FastAPI, client: httpx.AsyncClient, served: Served, tmp_path: Path
) -> None:
    other = FileStore(tmp_path / "ratings.jsonl")  # of another worker, not seen here yet
    other.add(Event(STRANGER, 12_345, 4.0))
    other.add(Event(STRANGER, 12_346, 4.0))
    path = "/ratings/{}?user_id={}"
    assert (await client.delete(path.format(12_347, STRANGER))).status_code == 404
    answer = await client.delete(path.format(12_345, STRANGER))
    assert (answer.status_code, answer.json()["rating"]) == (200, None)
    app.state.loader.served = None
    assert (await client.delete(path.format(12_346, STRANGER))).status_code == 200
    assert (await client.delete(path.format(10, STRANGER))).status_code == 503
    app.state.loader.served = served
    latest = {s.event.movie_id: s.event.rating for s in other.after(0)}
    assert latest == {12_345: None, 12_346: None}
