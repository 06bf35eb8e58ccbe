"""What is written of the answers, also where it can't be written."""

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from serving.app import create_app
from serving.experiments.report import read
from serving.follow.loader import Served
from serving.follow.registry import Release
from serving.live import Event
from serving.settings import PREFIX, Settings
from tests.serving.support import api, nowhere, with_copy

pytestmark = pytest.mark.anyio

QUESTIONS: list[dict[str, object]] = [
    {"user_id": 1},
    {"user_id": 2, "genres": ["Drama"]},
    {"user_id": 1, "ratings": [{"movieId": 20, "rating": 5}, {"movieId": 30, "rating": 0.5}]},
    {"user_id": 999, "ratings": [{"movieId": 10, "rating": 5}], "top_k": 2},
    {"user_id": 2, "year_from": 1990, "year_to": 2010},
    {"user_id": 1, "diversity": 0.7, "top_k": 2},
    {"user_id": 999, "genres": ["Comedy"], "year_to": 2000},
    {"user_id": 77},
]


def shadowed(folder: Path, served: Served) -> FastAPI:
    """An app whose candidate, version 4, is the very model in production."""
    app = create_app(
        Settings(
            cache_dir=folder / "cache",
            ratings_file=folder / "ratings.jsonl",
            candidate_mode="shadow",
            answer_log=folder / "logs" / "answers.jsonl",
        )
    )
    app.state.loader.served = served
    release = Release("4", 400)
    app.state.candidate.served = Served(served.model, release, "registry", served.loaded_at)
    return app


async def test_a_shadow_is_asked_the_same_question_and_answers_nobody(
    tmp_path: Path, served: Served
) -> None:
    app = shadowed(tmp_path, served)
    await app.state.live_ratings.add(Event(77, 40, 5.0))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        for question in QUESTIONS:
            answer = await client.post("/recommend", json=question)
            assert answer.json()["model_version"] == "3"
    app.state.answer_log.close()
    lines, skipped = read(tmp_path / "logs" / "answers.jsonl")
    assert skipped == []
    assert [line["user_id"] for line in lines] == [question["user_id"] for question in QUESTIONS]
    for line in lines:
        assert line["movies"] == line["shadow"]["movies"]
        assert (line["version"], line["shadow"]["version"]) == ("3", "4")
        assert line["request_id"]


@contextmanager
def limited_files(most: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size: as a full disk does, in mid-line."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_full_disk_costs_lines_and_nothing_else(
    tmp_path: Path, served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    app = shadowed(tmp_path, served)
    path = tmp_path / "logs" / "answers.jsonl"
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:

        async def ask(times: int) -> None:
            for _ in range(times):
                assert (await client.post("/recommend", json={"user_id": 1})).status_code == 200
            app.state.answer_log._thread.submit(int).result()  # all are written, or are not

        await ask(2)
        with limited_files(path.stat().st_size + 50):
            await ask(3)
        await ask(1)
    app.state.answer_log.close()
    assert [line["user_id"] for line in map(json.loads, path.read_text().splitlines())] == [1] * 3
    assert caplog.text.count("the answer log can't be written (File too large)") == 1
    assert caplog.text.count("answers are logged again; 3 are missing") == 1
    assert "Traceback" not in caplog.text


def test_requests_are_counted_when_the_log_can_not_be_written(tmp_path: Path) -> None:
    with api(with_copy(tmp_path), nowhere(), answer_log=str(tmp_path / "a" / "log")) as running:
        running.wait_until_ready()
        (tmp_path / "a").write_text("a file where the folder should be")
        for _ in range(5):
            assert running.post("/recommend", {"user_id": 1}).status_code == 200
        page = running.get("/metrics").text
    assert 'requests_total{method="POST",route="/recommend",status="200"} 5.0' in page
    log = running.log.read_text()
    assert log.count("the answer log can't be written") == 1
    assert "Traceback" not in log


@pytest.mark.parametrize("name", ["ANSWER_LOG", "RATINGS_FILE"])
@pytest.mark.parametrize("below", ["file/log.jsonl", ""])
def test_a_path_that_can_not_be_written_ends_the_start(
    name: str, below: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(PREFIX + name, str(tmp_path / below))
    ended = subprocess.run(
        [sys.executable, "-m", "serving"],
        check=False, capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"the API can't start: {PREFIX}{name}: {tmp_path}")
    assert "can't be written" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_the_report_leaves_out_what_is_no_answer_and_says_so(tmp_path: Path) -> None:
    whole = {
        "time": "2024-01-01T12:00", "user_id": 1, "arm": "production", "version": "3",
        "fallback": False, "movies": [10],
    }  # fmt: skip
    text = json.dumps(whole)
    log = tmp_path / "answers.jsonl"
    log.write_text("\n".join([text, text[:40] + text, "", "[]", '{"arm": 1}', text, text[:-9]]))
    done = subprocess.run(
        [sys.executable, "-m", "serving.experiments.report", str(log)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert "| production | 3 | 2 | 1 |" in done.stdout
    assert done.stderr == "5 lines are no answers, and not counted: 2, 3, 4, 5, 7\n"
