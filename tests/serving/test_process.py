import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from serving.settings import PREFIX
from tests.ports import free_port
from tests.serving.support import (
    HTTP,
    Publish,
    api,
    broken_model,
    nowhere,
    tiny_model,
    wait_for_problem,
    wait_until,
    with_copy,
)

KEY = "the key of the tests"


def test_reload_outside_local_use(
    mlflow_server: str, registered_model: str, publish: Publish, tmp_path: Path
) -> None:
    publish(tiny_model(tmp_path / "v1", "v1"))
    with api(
        tmp_path,
        mlflow_server,
        registered_model=registered_model,
        environment="production",
        api_key=KEY,
        poll_seconds="3600",
    ) as running:
        running.wait_for_version("1")
        publish(tiny_model(tmp_path / "v2", "v2"))
        for headers in ({}, {"X-API-Key": "another key"}):
            assert running.post("/reload-model", headers=headers).status_code == 401
        assert running.get("/health").json()["model_version"] == "1"

        reloaded = running.post("/reload-model", headers={"X-API-Key": KEY})
        assert reloaded.json() == {"status": "Model reloaded", "version": "2"}
        assert running.get("/health").json()["model_version"] == "2"

        publish(broken_model(tmp_path / "v3"))
        refused = running.post("/reload-model", headers={"X-API-Key": KEY, "x-request-id": "r-1"})
        assert refused.status_code == 502
        assert refused.json()["detail"].startswith("version 3 did not pass its check")
        assert refused.json()["detail"].endswith("version 2 serves on")
        assert running.get("/health").json()["model_version"] == "2"
    assert KEY not in running.log.read_text()
    assert "another key" not in running.log.read_text()
    reason = next(line for line in running.lines() if line["message"] == "version 3 is no good")
    assert reason["request_id"] == "r-1"
    assert "movies out of order" in reason["exception"]
    loaded = [line for line in running.lines() if line["message"] == "model loaded"]
    assert [line["version"] for line in loaded] == ["1", "2"]


def test_without_mlflow_the_last_good_local_copy_serves(
    mlflow_server: str, registered_model: str, publish: Publish, tmp_path: Path
) -> None:
    publish(tiny_model(tmp_path / "v1", "v1"))
    with api(tmp_path, mlflow_server, registered_model=registered_model) as running:
        running.wait_for_version("1")
    nobody = f"http://user:secret@127.0.0.1:{free_port()}"
    with api(tmp_path, nobody, registered_model=registered_model) as running:
        wait_for_problem(running.url, "MLflow does not answer")
        model = running.get("/version").json()["model"]
        assert (model["version"], model["source"]) == ("1", "local copy")
        answer = running.post("/recommend", {"user_id": 1}).json()
        assert (answer["model_version"], answer["fallback"]) == ("1", False)
        failed = running.post("/reload-model")
        assert failed.status_code == 502
        assert failed.json()["detail"].endswith("version 1 serves on")
        time.sleep(1)  # ten polls
    log = running.log.read_text()
    assert log.count("MLflow does not answer") == 1
    assert "secret" not in log


def test_without_mlflow_and_without_a_copy_the_process_is_healthy(tmp_path: Path) -> None:
    with api(tmp_path, f"http://127.0.0.1:{free_port()}") as running:
        wait_for_problem(running.url, "MLflow does not answer")
        assert running.get("/health").status_code == 200
        assert running.get("/ready").status_code == 503
        sent = {"x-request-id": "mine"}
        answer = HTTP.post(f"{running.url}/recommend", json={"user_id": 1}, headers=sent)
        assert answer.headers["x-request-id"] == "mine"
        assert "server" not in answer.headers
    requests = [line for line in running.lines() if line["message"] == "request"]
    assert [line["status"] for line in requests if line["request_id"] == "mine"] == [503]


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("ENVIRONMENT", "production", f"{PREFIX}API_KEY is missing"),
        ("HOST", "0.0.0.0", f"{PREFIX}API_KEY is missing: host 0.0.0.0 needs it"),
        ("PROT", "8000", f"{PREFIX}PROT: expected only"),
        ("CACHE_DIR", f"{__file__}/cache", f"{PREFIX}CACHE_DIR: {__file__}/cache can't be used"),
    ],
)
def test_a_wrong_setting_ends_the_start(
    name: str, value: str, problem: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    ended = subprocess.run(
        [sys.executable, "-m", "serving"],
        check=False, capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"the API can't start: {problem}")
    assert len(ended.stderr.splitlines()) == 1


def test_a_taken_port_ends_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with api(tmp_path, f"http://127.0.0.1:{free_port()}") as running:
        monkeypatch.setenv(f"{PREFIX}PORT", running.url.rpartition(":")[2])
        monkeypatch.setenv(f"{PREFIX}CACHE_DIR", str(tmp_path))
        ended = subprocess.run(
            [sys.executable, "-m", "serving"],
            check=False, capture_output=True, text=True, cwd=tmp_path,
        )  # fmt: skip
    assert ended.returncode != 0
    assert "address already in use" in ended.stdout


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    with api(with_copy(tmp_path), nowhere(), workers="2") as running:
        running.wait_until_ready()
        wait_until(lambda: len(running.workers()) == 2, "two workers")
        workers = running.workers()
        running.process.kill()
        running.process.wait()
        psutil.wait_procs(workers, timeout=30)
        assert [worker.pid for worker in workers if worker.is_running()] == []
        with socket.create_server(("127.0.0.1", int(running.url.rpartition(":")[2]))):
            pass  # the port is free


def test_head_is_answered_as_get_without_a_body(tmp_path: Path) -> None:
    with api(with_copy(tmp_path), nowhere()) as running:
        running.wait_until_ready()
        pages = ("/", "/dashboard", "/docs", "/openapi.json", "/pages/home.js")
        for path in (*pages, "/health", "/metrics", "/movies/10", "/movies?query=x", "/movies/99"):
            got, head = running.get(path), HTTP.head(running.url + path)
            assert (head.status_code, head.content) == (got.status_code, b"")
            assert head.headers["content-type"] == got.headers["content-type"]
            if path != "/metrics":
                assert head.headers["content-length"] == got.headers["content-length"]
        assert HTTP.head(running.url + "/recommend").status_code == 405
        assert HTTP.delete(running.url + "/health").headers["allow"] == "GET, HEAD"
        page = running.get("/metrics").text
        assert 'requests_total{method="HEAD",route="/movies/{movie_id}",status="200"} 1.0' in page
