"""All that is measured at one size, and how memory and start grow with it."""

from __future__ import annotations

import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.common.timing import MB
from benchmarks.serving import servers
from benchmarks.serving.load import pace, request, saturate
from benchmarks.serving.servers import Server
from benchmarks.serving.synthetic import Size, write_model
from cinematch_dagster.local.tracking import tracking_server
from serving.model.recommender import Model

BARE, FIRST, MLFLOW = (
    "bare FastAPI, a constant",
    "a Python predict per movie",
    "mlflow models serve",
)
KNOWN, RATINGS, COLD = "known user", "20 ratings sent along", "cold user"
FILTERED, BATCH = "known user, a genre and variety", "100 pairs of /predict_batch"
ALONE_KNOWN, ALONE_RATINGS = "scoring alone: known user", "scoring alone: 20 ratings"
OURS: Final = "ours"
ASKED: Final = (KNOWN, RATINGS, COLD, FILTERED, BATCH)
TOP = 10
USERS = 20_000
"""Known users who ask, drawn at random."""
CONNECTIONS = 16
STRANGER = 2**40
"""A user whom no model knows."""


@dataclass
class Figures:
    """What was measured of one way.

    Attributes:
        rates: answers a second at saturation, of each round.
        paced: p99 in seconds at a third of the median rate, of each round.
        failures: answers that were not 2xx.
    """

    rates: list[float] = field(default_factory=list)
    paced: list[float] = field(default_factory=list)
    failures: int = 0

    @property
    def rate(self) -> float:
        """Median of the rounds."""
        return statistics.median(self.rates)

    @property
    def p99_ms(self) -> float | None:
        """Median of the rounds, in milliseconds."""
        return 1000 * statistics.median(self.paced) if self.paced else None


@dataclass(frozen=True)
class Effort:
    """How long is measured.

    Attributes:
        rounds: in each of which every way runs once.
        seconds: of load on a way in a round.
    """

    rounds: int = 5
    seconds: float = 2.0


def measure(size: Size, effort: Effort) -> dict[str, Any]:
    """Start every server, and put load on one after the other, round by round."""
    with _registered(size) as (folder, uri), contextlib.ExitStack() as stack:
        model = folder / "model"
        with servers.ours(folder, uri) as fresh:
            download = fresh.first_answer
        api = stack.enter_context(servers.ours(folder, uri))
        running = {
            OURS: api,
            BARE: stack.enter_context(servers.bare(folder, _answer(api))),
            MLFLOW: stack.enter_context(servers.mlflow_serve(folder, uri)),
            FIRST: stack.enter_context(servers.first_version(folder, model)),
        }
        stack.enter_context(servers.off_the_first_core())
        ways = _rounds(_ways(running, size), _alone(model, size), effort)
        return summary(size, effort, model, download, ways, running)


def grow(size: Size, effort: Effort) -> dict[str, Any]:
    """Measure the API alone."""
    with _registered(size) as (folder, uri):
        with servers.ours(folder, uri) as fresh:
            download = fresh.first_answer
        with servers.ours(folder, uri) as api, servers.off_the_first_core():
            asked = _ways({OURS: api}, size)
            ways = _rounds({name: asked[name] for name in (KNOWN, RATINGS)}, {}, effort)
            return summary(size, effort, folder / "model", download, ways, {OURS: api})


def summary(
    size: Size,
    effort: Effort,
    model: Path,
    download: float,
    ways: Mapping[str, Figures],
    running: Mapping[str, Server],
) -> dict[str, Any]:
    """Return everything at one size.

    Rates are medians of the rounds, a second; p99 are ms at a third of them. Of a server's worker:
    seconds to the first answer with the model on disk, MB of memory after the load, and those of
    them that workers can't share. `download` is seconds to the first answer without the model.
    """
    figures = asdict(size) | asdict(effort)
    figures["model_mb"] = sum(file.stat().st_size for file in model.iterdir()) / MB
    figures["download"] = download
    figures["failures"] = sum(way.failures for way in ways.values())
    figures["ways"] = {name: {"rate": way.rate, "p99_ms": way.p99_ms} for name, way in ways.items()}
    if BARE in ways:
        figures["p99_of_bare"] = (ways[KNOWN].p99_ms or 0) / (ways[BARE].p99_ms or 1)
    figures["servers"] = {
        name: {
            "rss_mb": server.resident / MB,
            "own_mb": server.own / MB,
            "first_answer": server.first_answer,
        }
        for name, server in running.items()
    }
    return figures


@contextlib.contextmanager
def _registered(size: Size) -> Iterator[tuple[Path, str]]:
    """Give a folder with a model in it, and the MLflow server that has it in production."""
    with tempfile.TemporaryDirectory(prefix="cinematch-bench-") as name:
        folder = Path(name)
        write_model(folder / "model", size)
        with tracking_server(folder) as uri:
            servers.register(uri, folder / "model")
            yield folder, uri


def _answer(api: Server) -> str:
    body = {"user_id": 1, "top_k": TOP}
    return httpx.post(f"http://127.0.0.1:{api.port}/recommend", json=body).raise_for_status().text


Way = tuple[int, Sequence[bytes], int]
"""Port, requests, connections."""


def _ways(running: dict[str, Server], size: Size) -> dict[str, Way]:
    """Return what is asked of whom; of the servers that run."""
    asked, port = requests(size), running[OURS].port
    ways: dict[str, Way] = {name: (port, asked[name], CONNECTIONS) for name in ASKED}
    if BARE in running:
        ways[BARE] = (running[BARE].port, asked[KNOWN], CONNECTIONS)
        ways[MLFLOW] = (running[MLFLOW].port, asked[MLFLOW], CONNECTIONS)
        ways[FIRST] = (running[FIRST].port, asked[KNOWN], 1)
    return ways


def requests(size: Size) -> dict[str, list[bytes]]:
    """Return requests of each kind, from many users."""
    random = np.random.default_rng(7)
    users = random.integers(1, size.users + 1, USERS).tolist()
    movies = random.integers(1, size.movies + 1, (USERS // 20, 100)).tolist()
    few = users[: len(movies)]
    return {
        KNOWN: [request("/recommend", {"user_id": u, "top_k": TOP}) for u in users],
        RATINGS: [request("/recommend", sent(own)) for own in movies],
        COLD: [request("/recommend", {"user_id": STRANGER + u, "top_k": TOP}) for u in few],
        FILTERED: [
            request("/recommend", {"user_id": u, "genres": ["Comedy"], "diversity": 0.3})
            for u in few
        ],
        BATCH: [
            request("/predict_batch", {"items": [{"user_id": u, "movie_id": m} for m in own]})
            for u, own in zip(few, movies, strict=True)
        ],
        MLFLOW: [
            request("/invocations", {"dataframe_records": [{"user_id": u, "top_k": TOP}]})
            for u in users
        ],
    }


def sent(movies: Sequence[int]) -> dict[str, object]:
    """Return what a stranger asks who sends 20 ratings along."""
    ratings = [{"movieId": m, "rating": 0.5 + m % 10 / 2} for m in movies[:20]]
    return {"user_id": STRANGER, "top_k": TOP, "ratings": ratings}


def _alone(folder: Path, size: Size) -> dict[str, Callable[[], object]]:
    """Return calls of the model in this process."""
    model, random = Model.load(folder), np.random.default_rng(7)

    def known() -> object:
        return model.recommend(int(random.integers(1, size.users + 1)), TOP)

    def ratings() -> object:
        movies = random.integers(1, size.movies + 1, 20).tolist()
        return model.recommend(STRANGER, TOP, {m: 0.5 + m % 10 / 2 for m in movies})

    return {ALONE_KNOWN: known, ALONE_RATINGS: ratings}


def _rounds(
    ways: dict[str, Way], calls: dict[str, Callable[[], object]], effort: Effort
) -> dict[str, Figures]:
    """Run every way once in a round; then, as often, at a third of the rate that it had."""
    found = {name: Figures() for name in (*ways, *calls)}
    for way in ways.values():
        saturate(*way, effort.seconds / 4)  # everything is warm by then
    for _ in range(effort.rounds):
        for name, way in ways.items():
            load = saturate(*way, effort.seconds)
            found[name].rates.append(load.rate)
            found[name].failures += load.failures
        for name, call in calls.items():
            found[name].rates.append(_calls(call, effort.seconds))
    for _ in range(effort.rounds):
        for name in ways.keys() - {FIRST}:
            load = pace(*ways[name], effort.seconds, found[name].rate / 3)
            found[name].paced.append(load.percentile(0.99))
            found[name].failures += load.failures
    return found


def _calls(call: Callable[[], object], seconds: float) -> float:
    """Return calls a second, with one thread of BLAS as in a worker."""
    done, begin = 0, time.perf_counter()
    with threadpool_limits(1, user_api="blas"):
        while (lasted := time.perf_counter() - begin) < seconds:
            call()
            done += 1
    return done / lasted
