import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pyarrow as pa

from serving.follow.cache import Cache
from serving.follow.registry import Release
from tests.ports import free_port
from tests.serving.hand_made import change_arrays, hand_made, random_artifact

HTTP = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0))
"""Asks on a new connection each time, so that every worker gets some; making one client for each
question would take 50 ms of a core."""
Publish = Callable[..., Release]
"""Called with a model's folder and, optionally, the alias to move to the new version."""


def tiny_model(folder: Path, label: str) -> Path:
    """Write the hand-made model (users 1 and 2, movies 10-50); its titles end with `label`."""
    artifact = hand_made()
    titles = [f"{title} ({label})" for title in artifact.titles.to_pylist()]
    replace(artifact, titles=pa.array(titles)).write(folder)
    return folder


def spoilt_model(folder: Path) -> Path:
    """Write a model with a number that is not finite: it does not load."""
    tiny_model(folder, "spoilt")
    change_arrays(folder, list_scores=np.full((2, 3), np.nan, dtype=np.float16))
    return folder


def broken_model(folder: Path) -> Path:
    """Write a model whose lists are upside down: it loads, and must not serve."""
    artifact = random_artifact(seed=1)
    upside_down = replace(artifact.arrays, list_scores=-artifact.arrays.list_scores)
    replace(artifact, arrays=upside_down).write(folder)
    return folder


def with_copy(folder: Path) -> Path:
    """Put version 1 into the cache in a folder, as if it had been served before."""
    cache, release = Cache(folder / "cache"), Release("1", 100)
    cache.add(release, lambda scratch: tiny_model(scratch / "model", "v1"))
    cache.mark_good(release)
    return folder


def nowhere() -> str:
    """Return an address where no MLflow answers."""
    return f"http://127.0.0.1:{free_port()}"


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


def wait_until(holds: Callable[[], bool], what: str = "it") -> None:
    """Wait until something holds; what can't be asked at the moment does not hold."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if holds():
                return
        except (httpx.TransportError, KeyError):
            pass
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within a minute")


def wait_until_all(holds: Callable[[], bool]) -> None:
    """Wait until 20 new connections in a row, which both workers take, see the same."""
    wait_until(lambda: all(holds() for _ in range(20)))


def wait_for_problem(url: str, start: str) -> None:
    """Wait until `/version` tells a problem that begins with `start`."""
    wait_until(lambda: (problem(url) or "").startswith(start), f"a problem {start!r}")


def problem(url: str) -> str | None:
    """What keeps the API from following the registry."""
    found: str | None = HTTP.get(f"{url}/version").json()["problem"]
    return found


def rate(url: str, user: int, movie: int, stars: float = 5.0) -> httpx.Response:
    body = {"user_id": user, "movieId": movie, "rating": stars}
    return HTTP.post(f"{url}/ratings", json=body, timeout=60)


def rated(url: str, user: int) -> set[int]:
    return {movie["movieId"] for movie in HTTP.get(f"{url}/users/{user}").json()["ratings"]}


def set_alias(model: str, release: Release, alias: str = "production") -> None:
    """Move an alias on the server that `publish` set."""
    import mlflow

    mlflow.MlflowClient().set_registered_model_alias(model, alias, release.version)


def wait_for(url: str, running: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the address answers with success."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and running.poll() is None:
        try:
            if HTTP.get(url).is_success:
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
        return HTTP.get(self.url + path)

    def post(
        self, path: str, json: object = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        return HTTP.post(self.url + path, json=json, headers=headers, timeout=60)

    def workers(self) -> list[psutil.Process]:
        """Return the processes that answer, where there are several; not those that just end."""
        found = []
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if "spawn_main" in " ".join(child.cmdline()):
                    found.append(child)
        return found

    def wait_until_ready(self) -> None:
        """Wait until a model answers, from wherever it comes."""
        wait_until(lambda: self.get("/ready").is_success, "a model")

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
def api(
    folder: Path, tracking_uri: str, *, wrapper: Sequence[str] = (), **settings: Any
) -> Iterator[Api]:
    """Run `python -m serving` inside a `with` block, its cache and log in `folder`.

    A `wrapper` is a command that runs what follows it.
    """
    port, log = free_port(), folder / "api.log"
    environment = {
        "TRACKING_URI": tracking_uri,
        "PORT": str(port),
        "CACHE_DIR": str(folder / "cache"),
        "METRICS_DIR": str(folder / "metrics"),
        "POLL_SECONDS": "0.1",
        "REQUEST_LOG_SHARE": "1",
    } | {name.upper(): value for name, value in settings.items()}
    prefixed = {f"CINEMATCH_SERVING_{name}": value for name, value in environment.items()}
    with process([*wrapper, sys.executable, "-m", "serving"], log, **prefixed) as running:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/health", running, log)
        yield Api(url, running, log)
