import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from benchmarks.common.pages import render
from benchmarks.common.results import Measured, Results
from benchmarks.serving import __main__ as program
from benchmarks.serving.load import Load, pace, request, saturate
from benchmarks.serving.measure import (
    ALONE_KNOWN,
    ALONE_RATINGS,
    ASKED,
    BARE,
    FIRST,
    KNOWN,
    MLFLOW,
    OURS,
    RATINGS,
    Effort,
    Figures,
    requests,
    summary,
)
from benchmarks.serving.others import surprise_model
from benchmarks.serving.servers import Server
from benchmarks.serving.synthetic import SIZES, Size, write_model
from serving.http.schemas.first_version import Pairs
from serving.http.schemas.recommendations import RecommendRequest
from serving.model import Model
from serving.model.artifact import Artifact
from serving.model.selfcheck import check

SIZE = Size(movies=300, users=40, ratings=2_000)
MB = 2**20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("synthetic") / "model"
    write_model(made, SIZE)
    return made


@pytest.fixture
def port() -> Iterator[int]:
    """A server that answers each third request on a connection with 500, in two parts."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            count = 0
            while head := await reader.readuntil(b"\r\n\r\n"):
                await reader.readexactly(int(head.split(b"Content-Length: ")[1]))
                count += 1
                status = b"500 No" if count % 3 == 0 else b"200 OK"
                writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 4\r\n\r\nab")
                await writer.drain()
                await asyncio.sleep(0.001)
                writer.write(b"cd")

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # the client hung up
    server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield server.sockets[0].getsockname()[1]
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    server.close()
    loop.run_until_complete(asyncio.sleep(0))
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0.01))
    loop.close()


def test_every_answer_and_every_failure_is_counted_at_saturation(port: int) -> None:
    load = saturate(port, [request("/", {})], 3, 0.2)
    assert load.lasted >= 0.2
    assert len(load.seconds) > 9
    assert load.failures == pytest.approx(len(load.seconds) / 3, abs=3)
    assert min(load.seconds) >= 0.001
    assert load.rate == len(load.seconds) / load.lasted


def test_a_pace_is_kept_and_what_waits_is_counted_from_when_it_was_due(port: int) -> None:
    load = pace(port, [request("/", {})], 8, 0.5, 100)
    assert 20 <= len(load.seconds) <= 100
    crowded = pace(port, [request("/", {})], 1, 0.2, 2_000)
    assert crowded.percentile(0.5) > 10 * load.percentile(0.5)


def test_percentiles_are_of_the_ordered_seconds() -> None:
    load = Load(seconds=[0.3, 0.1, 0.2, 0.4])
    assert [load.percentile(share) for share in (0, 0.5, 0.75, 0.99)] == [0.1, 0.2, 0.3, 0.4]


def test_a_synthetic_model_passes_the_check_and_has_the_asked_size(folder: Path) -> None:
    model = Model.load(folder)
    check(model)
    assert (model.info.n_movies, model.info.n_users) == (300, 40)
    assert 0.7 * SIZE.ratings < model.info.n_ratings <= SIZE.ratings + SIZE.users
    assert model.top_n == 100
    listed = [r.movie_id for r in model.recommend(1, 100).recommendations]
    assert len(set(listed)) == 100


def test_surprise_predicts_with_the_same_factors(folder: Path) -> None:
    algorithm, model = surprise_model(Artifact.read(folder)), Model.load(folder)
    users, movies = np.array([1, 20, 40]), np.array([300, 1, 150])
    theirs = [algorithm.predict(u, m).est for u, m in zip(users, movies, strict=True)]
    np.testing.assert_allclose(theirs, model.predict(users, movies), atol=1e-3)


def test_every_request_is_valid() -> None:
    for name, made in requests(SIZE).items():
        for asked in made[:3]:
            line, body = asked.partition(b"\r\n")[0], asked.partition(b"\r\n\r\n")[2]
            if b"/predict_batch" in line:
                assert len(Pairs.model_validate_json(body).items) == 100
            elif b"/invocations" in line:
                (record,) = json.loads(body)["dataframe_records"]
                assert 1 <= record["user_id"] <= SIZE.users
            else:
                wish = RecommendRequest.model_validate_json(body)
                assert len(wish.ratings) == (20 if name == RATINGS else 0)


MEASURED: Measured = {"days": ["2026-01-02"], "machine": "M", "versions": "V"}


class Worker(Server):
    """A server whose memory is known; its process is none."""

    resident, own = property(lambda self: self.port * MB), property(lambda _: 50 * MB)


def found(folder: Path, known: float, resident: int = 100, failures: int = 0) -> dict[str, Any]:
    rates = dict.fromkeys((*ASKED, BARE, MLFLOW, FIRST, ALONE_KNOWN, ALONE_RATINGS), 50.0)
    rates |= {BARE: 1_000.0, KNOWN: known, FIRST: 2.5}
    ways = {
        name: Figures([rate, rate * 9, rate / 9], [] if name == FIRST else [0.002, 0.5, 0.001])
        for name, rate in rates.items()
    }
    ways[KNOWN].failures = failures
    model = folder / "tiny"
    model.mkdir(exist_ok=True)
    (model / "arrays").write_bytes(bytes(10 * MB))
    worker = Worker(resident, 2.0, psutil.Process())
    running = dict.fromkeys((OURS, BARE, MLFLOW, FIRST), worker)
    return summary(SIZE, Effort(3, 2), model, 9.0, ways, running)


def page(folder: Path, name: str, figures: Any) -> str:
    results = Results(folder / "results.json")
    results.keep(name, figures, MEASURED)
    return render("serving/figures", results)


def test_the_page_says_which_targets_are_met(tmp_path: Path) -> None:
    text = page(tmp_path, "ml-1m", found(tmp_path, 900))
    for line in (
        "| known users, share of bare | 0.90 | at least 0.85: met |",
        "| known users, times `mlflow models serve` | 18.0 | at least 10: met |",
        "| 20 ratings sent along, share of bare | 0.05 | at least 0.35: missed, 0.14 of it |",
        "| p99 of known users, times bare's | 1.00 | at most 2: met |",
        "| RSS of a worker | 100 MB | at most 512 MB: met |",
        "| answers that are not 2xx | 0 | none: met |",
        "| CineMatch: known user | 900 | 0.9 | 2.0 |",
        "| the first version's way: a Python predict per movie | 2.5 | 0.0025 |  |",
        "Medians of 3 rounds of 2 s a way; the model's files have 10 MB.",
    ):
        assert line in text


def test_the_page_says_which_targets_are_missed(tmp_path: Path) -> None:
    text = page(tmp_path, "ml-1m", found(tmp_path, 400, 600, failures=2))
    assert "| 0.40 | at least 0.85: missed, 0.47 of it |" in text
    assert "| 600 MB | at most 512 MB: missed, 1.18 of it |" in text
    assert "| 2 | none: missed |" in text


def test_growth_is_shown_over_few_and_many_of_both(tmp_path: Path) -> None:
    corners = program.corners(*SIZES.values())
    assert [(s.movies, s.users) for s in corners] == [
        (3_706, 6_040), (62_423, 6_040), (3_706, 162_541), (62_423, 162_541),
    ]  # fmt: skip
    text = page(tmp_path, "growth", [found(tmp_path, 900)])
    assert "| 300 | 40 | 10 | 900 | 50 | 100 | 50 | 2.0 | 9.0 |" in text


@pytest.mark.slow
def test_everything_is_measured_in_real_servers(tmp_path: Path) -> None:
    marker = "<!-- serving/figures -->\n<!-- end of serving/figures -->\n"
    (tmp_path / "benchmarks.md").write_text(marker)
    program.main(
        [
            "--parts", "ml-1m", "--rows", "2000", "--rounds", "1", "--seconds", "0.2",
            "--docs", str(tmp_path), "--results", str(tmp_path / "results.json"),
        ]
    )  # fmt: skip
    text = (tmp_path / "benchmarks.md").read_text()
    assert "| answers that are not 2xx | 0 | none: met |" in text
    assert "### 3,706 movies, 12 users (as ml-1m)" in text
