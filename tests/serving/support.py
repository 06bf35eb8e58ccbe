import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa

from serving.artifact import FORMAT, Arrays, Artifact, ModelInfo, Parameters

USERS, MOVIES, FACTORS = 6, 12, 3
GENRES = ("Comedy", "Drama")


def tiny_model(folder: Path, label: str) -> Path:
    """Write a model of users 1-6 and movies 10-120; its titles end with `label`."""
    random = np.random.default_rng(7)
    movie_ids = np.arange(1, MOVIES + 1, dtype=np.int32) * 10
    movies, users = random.random((MOVIES, FACTORS)), random.random((USERS, FACTORS))
    rated = np.arange(2 * USERS) % MOVIES  # user u rated rows 2u and 2u + 1
    scores = users @ movies.T
    scores[np.repeat(np.arange(USERS), 2), rated] = -np.inf
    lists = np.argsort(-scores)[:, : MOVIES - 2]
    arrays = Arrays(
        movie_ids=movie_ids,
        movie_counts=np.arange(MOVIES, 0, -1),
        movie_damped_mean=np.linspace(4.5, 2.5, MOVIES),
        movie_bias=np.linspace(0.5, -0.5, MOVIES),
        movie_factors=movies,
        movie_ranking=movies,
        ranking_gram=movies.T @ movies,
        ranking_mean=users.mean(axis=0),
        genre_movies=np.arange(MOVIES) % 2 == np.arange(2)[:, None],
        user_ids=np.arange(1, USERS + 1),
        user_bias=np.zeros(USERS),
        user_factors=users,
        user_ranking=users,
        rated_offsets=np.arange(USERS + 1) * 2,
        rated_movies=rated,
        rated_halves=np.full(len(rated), 9),
        list_movies=lists,
        list_scores=np.take_along_axis(scores, lists, axis=1),
        list_nearest=np.full(lists.shape, -1),
    )
    Artifact(
        info=ModelInfo(
            format=FORMAT,
            week="2024-01-01",
            trained_at="2024-01-08T00:00:00+00:00",
            n_users=USERS,
            n_movies=MOVIES,
            n_ratings=len(rated),
            algorithm="svd+als",
        ),
        parameters=Parameters(
            global_mean=3.5,
            rating_regularization=0.05,
            ranking_regularization=1.0,
            ranking_alpha=2.0,
            genres=GENRES,
        ),
        arrays=arrays,
        titles=pa.array([f"Movie {movie} ({label})" for movie in movie_ids]),
        genres=pa.array([GENRES[row % 2] for row in range(MOVIES)]),
    ).write(folder)
    return folder


def broken_model(folder: Path) -> Path:
    """Write a model whose lists are upside down: it loads, and must not serve."""
    tiny_model(folder, "broken")
    scores = np.load(folder / "list_scores.npy")
    np.save(folder / "list_scores.npy", np.ascontiguousarray(scores[:, ::-1]))
    return folder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def process(command: list[str], log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in its own session inside a `with` block; its output goes to `log`."""
    with (
        log.open("ab") as output,
        subprocess.Popen(
            command, stdout=output, stderr=output, env=os.environ | environment, cwd=log.parent
        ) as running,
    ):
        try:
            yield running
        finally:
            running.terminate()


def wait_for(url: str, running: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the address answers with success."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and running.poll() is None:
        try:
            if httpx.get(url).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"{url} does not answer; the log ends with {log.read_text()[-2000:]}")


@dataclass(frozen=True)
class Api:
    """A running API."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path)

    def post(
        self, path: str, json: object = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        return httpx.post(self.url + path, json=json, headers=headers, timeout=60)

    def wait_for_version(self, version: str) -> None:
        """Wait until a version serves, confirmed by the registry."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            model = self.get("/version").json()["model"]
            if model and (model["version"], model["source"]) == (version, "registry"):
                return
            time.sleep(0.05)
        raise AssertionError(f"version {version} was not served: {self.get('/version').text}")


@contextmanager
def api(folder: Path, tracking_uri: str, **settings: str) -> Iterator[Api]:
    """Run `python -m serving` inside a `with` block, its cache and log in `folder`."""
    port, log = free_port(), folder / "api.log"
    environment = {
        "TRACKING_URI": tracking_uri,
        "PORT": str(port),
        "CACHE_DIR": str(folder / "cache"),
        "POLL_SECONDS": "0.1",
        "REQUEST_LOG_SHARE": "1",
    } | {name.upper(): value for name, value in settings.items()}
    prefixed = {f"CINEMATCH_SERVING_{name}": value for name, value in environment.items()}
    with process([sys.executable, "-m", "serving"], log, **prefixed) as running:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/health", running, log)
        yield Api(url, running, log)
