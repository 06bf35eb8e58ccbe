"""Ratings through real processes, some of which are killed."""

from pathlib import Path

import pytest

from tests.serving.support import (
    HTTP,
    Publish,
    api,
    rate,
    rated,
    tiny_model,
    wait_until,
    wait_until_all,
)


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
        wait_until(lambda: rated(running.url, 77) == {10, 20, 30})
        answer = running.post("/recommend", {"user_id": 77}).json()
        assert answer["strategy"] == "fold_in"


def test_two_workers_share_ratings_models_and_figures(
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
        wait_until_all(lambda: version(running.url) == "1")
        assert rate(running.url, 77, 10).status_code == 200
        wait_until_all(lambda: rated(running.url, 77) == {10})
        publish(tiny_model(tmp_path / "v2", "v2"))
        assert running.post("/reload-model").json()["version"] == "2"
        wait_until_all(lambda: version(running.url) == "2")

        figures = HTTP.get(f"{running.url}/metrics").text
        assert 'cinematch_ratings_total{kind="given"} 1.0' in figures
        assert figures.count('cinematch_model_version{alias="production",pid=') == 2


def version(url: str) -> object:
    return HTTP.get(f"{url}/health").json()["model_version"]
