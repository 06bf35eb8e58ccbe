"""The catalogue, the first version's routes, and wishes."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from serving.app import create_app
from serving.follow.loader import Served
from serving.settings import Settings

pytestmark = pytest.mark.anyio
STRANGER = 77


@pytest.fixture
def app(tmp_path: Path, served: Served) -> FastAPI:
    app = create_app(Settings(cache_dir=tmp_path, ratings_file=tmp_path / "ratings.jsonl"))
    app.state.loader.served = served
    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


async def get(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def post(client: httpx.AsyncClient, path: str, **body: object) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def ids(found: list[dict[str, Any]]) -> list[int]:
    return [movie["movieId"] for movie in found]


async def test_a_movie(client: httpx.AsyncClient) -> None:
    assert await get(client, "/movies/10") == {
        "movieId": 10,
        "title": "Title 10 (v3)",
        "genres": "Comedy|Western",
        "year": None,
        "n_ratings": 3,
        "mean_rating": 4.0,
    }
    assert (await get(client, "/movies/50"))["mean_rating"] is None  # nobody rated it


async def test_search_forgives_a_typo(client: httpx.AsyncClient) -> None:
    document = await get(client, "/movies?query=titel 40")
    assert ids(document["movies"])[0] == 40
    assert document["model_version"] == "3"


async def test_search_filters_and_limits(client: httpx.AsyncClient) -> None:
    assert ids((await get(client, "/movies"))["movies"]) == [10, 40, 20, 30]
    assert ids((await get(client, "/movies?genre=comedy"))["movies"]) == [10, 20]
    both = await get(client, "/movies?genre=comedy&genre=Drama&top_k=3")
    assert ids(both["movies"]) == [10, 40, 20]
    assert (await get(client, "/movies?year_from=1990"))["movies"] == []
    assert ids((await get(client, "/movies?query=title&genre=Horror"))["movies"]) == [50]


async def test_similar_movies_are_those_of_the_highest_cosine(client: httpx.AsyncClient) -> None:
    document = await get(client, "/movies/10/similar")
    assert document["movie"]["movieId"] == 10
    scores = {m["movieId"]: m["score"] for m in document["similar"]}
    assert scores == {40: pytest.approx(0.8), 30: pytest.approx(0.6)}
    assert ids(document["similar"]) == [40, 30]


async def test_what_speaks_against_is_not_similar(client: httpx.AsyncClient) -> None:
    assert ids((await get(client, "/movies/20/similar"))["similar"]) == [30]
    assert ids((await get(client, "/movies/10/similar?top_k=1"))["similar"]) == [40]


@pytest.mark.parametrize("path", ["/movies/999", "/movies/999/similar"])
async def test_an_unknown_movie_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.json()["detail"] == "movie 999 is not in the catalogue"


@pytest.mark.parametrize(
    "path",
    [
        "/movies?queri=x",
        "/movies?top_k=0",
        "/movies?top_k=101",
        "/movies?year_from=12",
        "/movies/x",
        "/movies/10/similar?query=x",
        f"/movies?query={'x' * 201}",
        f"/movies/{2**63}",
    ],
)
async def test_a_wrong_question_is_refused(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 422


async def test_predict(client: httpx.AsyncClient) -> None:
    # 3.5 + 0.25 + 0.25 + 1 * 0.5
    assert await post(client, "/predict", user_id=1, movie_id=40) == {"rating": 4.5}
    assert await post(client, "/predict", user_id=STRANGER, movie_id=999) == {"rating": 3.5}


async def test_predict_batch_keeps_the_order(client: httpx.AsyncClient) -> None:
    pairs = [(1, 40), (STRANGER, 10), (1, 30), (2, 20), (1, 999)]
    items = [{"user_id": user, "movie_id": movie} for user, movie in pairs]
    document = await post(client, "/predict_batch", items=items)
    singles = [(await post(client, "/predict", **item))["rating"] for item in items]
    assert document == {"predictions": singles}
    assert await post(client, "/predict_batch", items=[]) == {"predictions": []}


async def test_predict_batch_has_a_limit(client: httpx.AsyncClient) -> None:
    items = [{"user_id": 1, "movie_id": 1}] * 1001
    assert (await client.post("/predict_batch", json={"items": items})).status_code == 422


async def test_top_of_genre_is_a_recommendation_with_one_genre(client: httpx.AsyncClient) -> None:
    document = await post(client, "/predict_top_of_genre", user_id=1, genre="drama", top_k=5)
    assert document == await post(client, "/recommend", user_id=1, genres=["Drama"], top_k=5)
    assert set(ids(document["recommendations"])) == {30, 40}


async def test_top_of_an_unknown_genre_is_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.post("/predict_top_of_genre", json={"user_id": 1, "genre": "Opera"})
    assert answer.status_code == 404
    assert answer.json()["detail"].endswith("one of Comedy, Drama, Horror was expected")


async def test_top_of_top_stays_among_the_best_rated(client: httpx.AsyncClient) -> None:
    document = await post(client, "/predict_top_of_top", user_id=1, pool=3)
    assert set(ids(document["recommendations"])) == {40, 20}  # 10 was rated
    assert document["strategy"] == "known_user"
    stranger = await post(client, "/predict_top_of_top", user_id=STRANGER, pool=2)
    assert ids(stranger["recommendations"]) == [10, 40]


async def test_recommendations_of_some_years(client: httpx.AsyncClient) -> None:
    assert (await post(client, "/recommend", user_id=1, year_to=1990))["recommendations"] == []
    assert (await post(client, "/recommend", user_id=9, year_to=1990))["recommendations"] == []


async def test_variety_keeps_the_order_of_scores(client: httpx.AsyncClient) -> None:
    plain = await post(client, "/recommend", user_id=STRANGER, top_k=2)
    varied = await post(client, "/recommend", user_id=STRANGER, top_k=2, diversity=1)
    assert ids(plain["recommendations"]) == [10, 40]
    scores = [movie["score"] for movie in varied["recommendations"]]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("change", [{"diversity": 1.1}, {"diversity": -0.1}, {"year_to": "x"}])
async def test_a_wrong_wish_is_refused(
    client: httpx.AsyncClient, change: dict[str, object]
) -> None:
    assert (await client.post("/recommend", json={"user_id": 1} | change)).status_code == 422
