"""Ratings through real processes, some of which are killed."""

import os
import signal
import time
from pathlib import Path

import httpx
import psutil
import pytest

from tests.serving.support import Publish, api, tiny_model


def rate(url: str, user: int, movie: int, stars: float = 5.0) -> httpx.Response:
    body = {"user_id": user, "movieId": movie, "rating": stars}
    return httpx.post(f"{url}/ratings", json=body, timeout=60)


def rated(url: str, user: int) -> set[int]:
    return {movie["movieId"] for movie in httpx.get(f"{url}/users/{user}").json()["ratings"]}


def wait_until_rated(url: str, user: int, movies: set[int]) -> None:
    deadline = time.monotonic() + 60
    while rated(url, user) != movies:
        assert time.monotonic() < deadline, rated(url, user)
        time.sleep(0.05)


@pytest.fixture(params=["file", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    if request.param == "file":
        return {"ratings_file": str(tmp_path / "ratings.jsonl")}
    return {"database_url": request.getfixturevalue("warehouse_dsn")}


def test_a_rating_survives_kill_9_right_after_its_answer(
    mlflow_server: str,
    registered_model: str,
    publish: Publish,
    tmp_path: Path,
    store: dict[str, str],
) -> None:
    publish(tiny_model(tmp_path / "v1", "v1"))
    with api(tmp_path, mlflow_server, registered_model=registered_model, **store) as running:
        running.wait_for_version("1")
        for movie in (10, 20, 30):
            assert rate(running.url, 77, movie).status_code == 200
        running.process.kill()
    with api(tmp_path, mlflow_server, registered_model=registered_model, **store) as running:
        running.wait_for_version("1")
        wait_until_rated(running.url, 77, {10, 20, 30})
        answer = running.post("/recommend", {"user_id": 77}).json()
        assert answer["strategy"] == "fold_in"


def test_two_workers_share_ratings_models_and_figures_and_one_may_be_killed(
    mlflow_server: str, registered_model: str, publish: Publish, tmp_path: Path
) -> None:
    publish(tiny_model(tmp_path / "v1", "v1"))
    with api(
        tmp_path,
        mlflow_server,
        registered_model=registered_model,
        ratings_file=str(tmp_path / "ratings.jsonl"),
        ratings_poll_seconds="0.1",
        poll_seconds="3600",
        workers="2",
    ) as running:
        running.wait_for_version("1")
        assert rate(running.url, 77, 10).status_code == 200
        wait_until_all(running.url, lambda: rated(running.url, 77) == {10})
        publish(tiny_model(tmp_path / "v2", "v2"))
        assert running.post("/reload-model").json()["version"] == "2"
        wait_until_all(running.url, lambda: version(running.url) == "2")

        figures = httpx.get(f"{running.url}/metrics").text
        assert 'cinematch_ratings_total{kind="given"} 1.0' in figures
        assert figures.count('cinematch_model_version{alias="production",pid=') == 2

        worker = next(
            child for child in psutil.Process(running.process.pid).children()
            if "spawn_main" in " ".join(child.cmdline())
        )  # fmt: skip
        os.kill(worker.pid, signal.SIGKILL)
        wait_until_all(running.url, lambda: rated(running.url, 77) == {10})


def version(url: str) -> object:
    return httpx.get(f"{url}/health").json()["model_version"]


def wait_until_all(url: str, holds: object) -> None:
    """Wait until 20 new connections in a row, which both workers take, see the same."""
    assert callable(holds)
    deadline = time.monotonic() + 60
    in_a_row = 0
    while in_a_row < 20:
        assert time.monotonic() < deadline, url
        try:
            in_a_row = in_a_row + 1 if holds() else 0
        except (httpx.TransportError, KeyError):  # of the worker that was killed
            in_a_row = 0
        time.sleep(0.02)
