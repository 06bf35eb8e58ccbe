from pathlib import Path

import httpx
import numpy as np
import pytest
from fastapi import FastAPI

from serving.app import create_app
from serving.experiments.experiment import Experiment, bucket
from serving.experiments.report import report, table
from serving.follow.cache import Cache
from serving.follow.loader import Loader, Served
from serving.follow.registry import Registry, Release
from serving.settings import Settings

pytestmark = pytest.mark.anyio


def settings(folder: Path, **values: object) -> Settings:
    return Settings(cache_dir=folder / "cache", ratings_file=folder / "ratings.jsonl", **values)  # type: ignore[arg-type]  # a test's own choice of values


def challenged(folder: Path, served: Served, **values: object) -> FastAPI:
    """An app with version 3 in production and version 4 as the candidate."""
    app = create_app(settings(folder, **values))
    app.state.loader.served = served
    app.state.candidate.served = Served(
        served.model, Release("4", 400), "registry", served.loaded_at
    )
    return app


async def answers(app: FastAPI, users: range) -> list[dict[str, str]]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return [(await client.post("/recommend", json={"user_id": user})).json() for user in users]


async def test_users_are_spread_evenly_and_stay_where_they_are() -> None:
    places = np.array([bucket(user) for user in range(10_000)])
    assert np.histogram(places, bins=10, range=(0, 1))[0] == pytest.approx(1000, abs=120)
    assert bucket(7) == bucket(7)


async def test_a_share_of_the_users_is_answered_by_the_candidate(
    tmp_path: Path, served: Served
) -> None:
    app = challenged(tmp_path, served, candidate_mode="split", candidate_share=0.5)
    first = await answers(app, range(60))
    versions = {answer["arm"]: answer["model_version"] for answer in first}
    assert versions == {"production": "3", "candidate": "4"}
    again = await answers(app, range(60))
    assert [a["arm"] for a in again] == [a["arm"] for a in first]
    assert [a["arm"] == "candidate" for a in first] == [bucket(user) < 0.5 for user in range(60)]


@pytest.mark.parametrize(("share", "arm"), [(0.0, "production"), (1.0, "candidate")])
async def test_nobody_and_everybody(tmp_path: Path, served: Served, share: float, arm: str) -> None:
    app = challenged(tmp_path, served, candidate_mode="split", candidate_share=share)
    assert {answer["arm"] for answer in await answers(app, range(20))} == {arm}


async def test_without_a_candidate_production_answers(tmp_path: Path, served: Served) -> None:
    registry = Registry("http://127.0.0.1:1", "model", "candidate")
    candidate = Loader(registry, Cache(tmp_path))
    production = Loader(registry, Cache(tmp_path))
    production.served = served
    assert Experiment(production, candidate, "split", 1.0).of(1) == ("production", served)


async def test_no_log_unless_told(tmp_path: Path, served: Served) -> None:
    app = challenged(tmp_path, served, candidate_mode="shadow")
    await answers(app, range(3))
    assert list(tmp_path.rglob("*.jsonl")) == []


def line(user: int, arm: str, movies: list[int], **more: object) -> dict[str, object]:
    common = {"time": "2024-01-01T12:00", "version": "3", "fallback": user > 9}
    return {"user_id": user, "arm": arm, "movies": movies, **common, **more}


async def test_the_report_counts_what_was_liked_after_it_was_recommended() -> None:
    lines = [
        line(1, "production", [10, 20], shadow={"movies": [10, 30]}),
        line(2, "candidate", [10], version="4"),
        line(1, "production", [10], shadow={"movies": [10]}),
        line(11, "candidate", []),
    ]
    ratings = {
        (1, 10): ("2024-01-01T13:00", 4.0),
        (1, 20): ("2024-01-01T11:00", 5.0),  # before
        (2, 10): ("2024-01-02T00:00", 3.5),
        (2, 99): ("2024-01-02T00:00", 5.0),  # not recommended
    }
    experiment = report(lines, ratings)
    production, candidate = experiment["production"], experiment["candidate"]
    assert (production.answers, production.users, production.fallbacks) == (2, {1}, 0)
    assert (production.rated, production.liked, production.overlap) == (1, 1, 0.75)
    assert (candidate.rated, candidate.liked, candidate.overlap) == (1, 0, None)
    assert candidate.versions == {"3", "4"}
    assert table(experiment).splitlines()[-1] == "| production | 3 | 2 | 1 | 0.0% | 1 | 1 | 75.0% |"
    assert "| candidate | 3, 4 | 2 | 2 | 50.0% | 1 | 0 | - |" in table(experiment)
