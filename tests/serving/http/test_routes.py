from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from threadpoolctl import threadpool_info

from serving.app import create_app
from serving.follow.loader import Served
from serving.follow.registry import LoadError
from serving.model import Model
from serving.settings import Settings
from tests.serving.hand_made import random_artifact

pytestmark = pytest.mark.anyio
STRANGER = 123


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    return create_app(Settings(cache_dir=tmp_path, ratings_file=tmp_path / "ratings.jsonl"))


@pytest.fixture
async def empty(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


@pytest.fixture
def client(app: FastAPI, empty: httpx.AsyncClient, served: Served) -> httpx.AsyncClient:
    app.state.loader.served = served
    return empty


async def test_health_is_good_without_a_model(empty: httpx.AsyncClient) -> None:
    answer = await empty.get("/health")
    assert answer.status_code == 200
    assert answer.json() == {"status": "healthy", "model_loaded": False, "model_version": None}


async def test_health_with_a_model(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health")
    assert answer.json() == {"status": "healthy", "model_loaded": True, "model_version": "3"}


@pytest.mark.parametrize(("method", "path"), [("GET", "/ready"), ("POST", "/recommend")])
async def test_without_a_model_the_answer_is_503(
    empty: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await empty.request(method, path, json={"user_id": 1})
    assert answer.status_code == 503
    assert answer.json()["detail"].startswith("no model is loaded yet")


async def test_ready_with_a_model(client: httpx.AsyncClient) -> None:
    answer = await client.get("/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "model_version": "3"})


async def test_version_without_a_model(empty: httpx.AsyncClient) -> None:
    document = (await empty.get("/version")).json()
    assert document["service"]
    assert (document["model"], document["problem"]) == (None, None)


async def test_version_with_a_model(client: httpx.AsyncClient) -> None:
    assert (await client.get("/version")).json()["model"] == {
        "version": "3",
        "source": "registry",
        "loaded_at": "2024-01-08T00:00:00Z",
        "week": "2024-01-01",
        "trained_at": "2024-01-08T00:00:00+00:00",
        "n_users": 2,
        "n_movies": 5,
        "n_ratings": 3,
        "algorithm": "svd+als",
    }


async def recommend(client: httpx.AsyncClient, **wish: object) -> dict[str, Any]:
    answer = await client.post("/recommend", json=wish)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def test_the_answer_for_a_known_user(client: httpx.AsyncClient) -> None:
    document = await recommend(client, user_id=1, top_k=2)
    items = document.pop("recommendations")
    assert document == {
        "user_id": 1,
        "fallback": False,
        "strategy": "known_user",
        "model_version": "3",
        "arm": "production",
    }
    assert items == [
        {
            "movieId": 30,
            "title": "Title 30 (v3)",
            "genres": "Drama",
            "score": pytest.approx(0.8, abs=1e-3),
            "predicted_rating": pytest.approx(3.5 + 0.25 - 0.5 - 1),
            "strategy": "known_user",
            "reason": "Closest to Title 10 (v3), one of the movies you liked.",
            "because": [{"movieId": 10, "title": "Title 10 (v3)"}],
        },
        {
            "movieId": 40,
            "title": "Title 40 (v3)",
            "genres": "Drama",
            "score": pytest.approx(0.65, abs=1e-3),
            "predicted_rating": pytest.approx(3.5 + 0.25 + 0.25 + 0.5),
            "strategy": "known_user",
            "reason": "Closest to Title 10 (v3), one of the movies you liked.",
            "because": [{"movieId": 10, "title": "Title 10 (v3)"}],
        },
    ]


async def test_ten_movies_unless_told_otherwise(
    app: FastAPI, client: httpx.AsyncClient, served: Served
) -> None:
    app.state.loader.served = replace(served, model=Model(random_artifact(seed=1)))
    assert len((await recommend(client, user_id=STRANGER))["recommendations"]) == 10


@pytest.mark.parametrize(("top_k", "found"), [(1, 1), (4, 4), (100, 4)])
async def test_no_more_than_top_k(client: httpx.AsyncClient, top_k: int, found: int) -> None:
    document = await recommend(client, user_id=STRANGER, top_k=top_k)
    assert len(document["recommendations"]) == found


@pytest.mark.parametrize("user_id", [STRANGER, 0, -1, 2**31, 2**53 - 1, 1 - 2**53])
async def test_an_unknown_user_gets_what_is_popular(
    client: httpx.AsyncClient, user_id: int
) -> None:
    document = await recommend(client, user_id=user_id, top_k=3)
    assert (document["user_id"], document["fallback"]) == (user_id, True)
    assert document["strategy"] == "popular"
    assert movies(document) == [10, 40, 20]


def movies(document: dict[str, Any]) -> list[int]:
    return [item["movieId"] for item in document["recommendations"]]


async def test_the_chain_of_fallbacks(client: httpx.AsyncClient) -> None:
    ratings = [{"movieId": 10, "rating": 5}, {"movieId": 20, "rating": 0.5}]
    by_ratings = await recommend(client, user_id=STRANGER, ratings=ratings, genres=["Drama"])
    by_genre = await recommend(client, user_id=STRANGER, genres=["comedy"])
    by_unknown_genre = await recommend(client, user_id=STRANGER, genres=["Opera"])
    unknown_movie = [{"movieId": 999, "rating": 5}]
    by_unknown_movie = await recommend(client, user_id=STRANGER, ratings=unknown_movie)
    answers = (by_ratings, by_genre, by_unknown_genre, by_unknown_movie)
    assert [a["strategy"] for a in answers] == ["fold_in", "genre", "popular", "popular"]
    assert all(a["fallback"] for a in answers)
    assert set(movies(by_ratings)) == {30, 40}
    assert movies(by_genre) == [10, 20]
    assert movies(by_unknown_genre) == movies(by_unknown_movie) == [10, 40, 20, 30]


async def test_ratings_sent_along_count_for_a_known_user(client: httpx.AsyncClient) -> None:
    assert movies(await recommend(client, user_id=1, top_k=3)) == [30, 40, 20]
    after = await recommend(client, user_id=1, ratings=[{"movieId": 30, "rating": 0.5}])
    assert after["fallback"] is False
    assert set(movies(after)) == {40, 20}


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"top_k": 0}, "body.top_k"),
        ({"top_k": 101}, "body.top_k"),
        ({"top_k": 2.5}, "body.top_k"),
        ({"top_k": "10"}, "body.top_k"),
        ({"user_id": None}, "body.user_id"),
        ({"user_id": True}, "body.user_id"),
        ({"user_id": 2**53}, "body.user_id"),
        ({"topk": 5}, "body.topk"),
        ({"ratings": [{"movieId": 1, "rating": 0.0}]}, "body.ratings.0.rating"),
        ({"ratings": [{"movieId": 1, "rating": 5.5}]}, "body.ratings.0.rating"),
        ({"ratings": [{"movieId": 1, "rating": 3.7}]}, "body.ratings.0.rating"),
        ({"ratings": [{"movieId": 1, "rating": "4"}]}, "body.ratings.0.rating"),
        ({"ratings": [{"movieId": 1}]}, "body.ratings.0.rating"),
        ({"ratings": [{"movie_id": 1, "rating": 4}]}, "body.ratings.0.movieId"),
        ({"ratings": [{"movieId": n, "rating": 4} for n in range(1001)]}, "body.ratings"),
        ({"genres": [""]}, "body.genres.0"),
        ({"genres": "Comedy"}, "body.genres"),
    ],
)
async def test_a_wrong_wish_is_refused_by_field(
    client: httpx.AsyncClient, change: dict[str, object], where: str
) -> None:
    answer = await client.post("/recommend", json={"user_id": 1} | change)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert where in answer.json()["errors"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b'{"user_id": 1', 422),
        (b"[1]", 422),
        (b'{"user_id": 1, "ratings": [{"movieId": 1, "rating": NaN}]}', 422),
        (b'{"user_id": ' + b"9" * 5000 + b"}", 400),
        (b"[" * 100_000, 400),
        (b'{"user_id": "\xff"}', 400),
    ],
)
async def test_what_is_not_proper_json_is_refused(
    client: httpx.AsyncClient, body: bytes, status: int
) -> None:
    answer = await client.post(
        "/recommend", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == status
    assert answer.json()["status"] == status


async def test_reload_needs_no_key_in_local_use(
    app: FastAPI, client: httpx.AsyncClient, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.state.loader, "refresh", lambda **_: served)
    answer = await client.post("/reload-model")
    assert answer.status_code == 200
    assert answer.json() == {"status": "Model reloaded", "version": "3"}


async def test_a_reload_that_fails_says_what_serves_on(
    app: FastAPI, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*, force: bool) -> Served:
        assert force
        raise LoadError("version 4 is no good")

    monkeypatch.setattr(app.state.loader, "refresh", fail)
    answer = await client.post("/reload-model")
    assert answer.status_code == 502
    assert answer.json()["detail"] == "version 4 is no good; version 3 serves on"


async def test_a_reload_that_can_not_write_says_so(tmp_path: Path, served: Served) -> None:
    app = create_app(Settings(cache_dir=tmp_path / "cache", ratings_file=tmp_path / "r.jsonl"))
    app.state.loader.served = served
    (tmp_path / "cache").touch()
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.post("/reload-model")
    assert answer.status_code == 502
    assert answer.json()["detail"] == (
        "the folder CINEMATCH_SERVING_CACHE_DIR can't be used (File exists); version 3 serves on"
    )


KEY = "a key of some length: é"


@pytest.fixture
def guarded(tmp_path: Path, served: Served, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    settings = Settings(environment="production", api_key=SecretStr(KEY), cache_dir=tmp_path)
    app = create_app(settings)
    monkeypatch.setattr(app.state.loader, "refresh", lambda **_: served)
    return app


@pytest.mark.parametrize(
    ("key", "status"),
    [(None, 401), ("", 401), (KEY[:-1], 401), (KEY + "x", 401), (KEY, 200)],
)
async def test_reload_with_a_key(guarded: FastAPI, key: str | None, status: int) -> None:
    headers = {} if key is None else {b"X-API-Key": key.encode()}
    transport = httpx.ASGITransport(guarded)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.post("/reload-model", headers=headers)
        reading = await client.get("/health")
    assert (answer.status_code, reading.status_code) == (status, 200)
    assert KEY not in answer.text


async def test_one_blas_thread_while_running(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    async def rest(_: float) -> None:
        pass

    monkeypatch.setattr(app.state.loader, "watch", rest)
    async with app.router.lifespan_context(app):
        threads = [p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"]
    assert threads
    assert set(threads) == {1}


@pytest.fixture
def operations(app: FastAPI) -> dict[str, Any]:
    return {
        path: operation
        for path, methods in app.openapi()["paths"].items()
        for operation in methods.values()
    }


BODY = {"400", "408", "413", "422", "503"}


async def test_the_document_names_every_answer(operations: dict[str, Any]) -> None:
    answers = {path: set(operation["responses"]) for path, operation in operations.items()}
    assert {path: found - {"200", "429"} for path, found in answers.items()} == {
        "/health": set(),
        "/ready": {"503"},
        "/version": set(),
        "/metrics": set(),
        "/recommend": BODY,
        "/predict": BODY,
        "/predict_batch": BODY,
        "/predict_top_of_genre": BODY | {"404"},
        "/predict_top_of_top": BODY,
        "/ratings": BODY | {"401", "403", "404"},
        "/ratings/{movie_id}": {"401", "403", "404", "422", "503"},
        "/movies": {"422", "503"},
        "/movies/{movie_id}": {"404", "422", "503"},
        "/movies/{movie_id}/similar": {"404", "422", "503"},
        "/users/{user_id}": {"422", "503"},
        "/reload-model": {"401", "403", "502"},
    }
    for path, operation in operations.items():
        assert {"200", "429"} <= set(operation["responses"])
        assert operation["description"]
        for status, answer in operation["responses"].items():
            good = "text/plain" if path == "/metrics" else "application/json"
            expected = good if status == "200" else "application/problem+json"
            assert set(answer["content"]) == {expected}


async def test_the_document_says_which_route_takes_the_key(operations: dict[str, Any]) -> None:
    assert {path for path, operation in operations.items() if "security" in operation} == {
        "/ratings",
        "/ratings/{movie_id}",
        "/reload-model",
    }


async def test_the_documents_request_example_is_answered(
    app: FastAPI, client: httpx.AsyncClient
) -> None:
    schema = app.openapi()["components"]["schemas"]["RecommendRequest"]["properties"]
    example = {name: schema[name]["examples"][0] for name in ("user_id", "top_k", "genres")}
    assert (await recommend(client, **example))["strategy"] == "genre"
