"""Promotions, good and bad, while people ask without pause."""

import itertools
import logging
import time
from pathlib import Path

import psutil
import pytest

from serving.follow.registry import Release
from tests.serving.asking import Client, asking, owners
from tests.serving.support import (
    Api,
    Publish,
    api,
    broken_model,
    problem,
    set_alias,
    spoilt_model,
    tiny_model,
    wait_until,
)

logger = logging.getLogger(__name__)
MEMORY_LIMIT = 512 * 2**20
GOOD = ["1", "2", "4", "6"]
SWAP = 1.0
"""Seconds after a promotion that belong to it."""


def published(publish: Publish, folder: Path) -> list[Release]:
    """Return versions 1 to 6, the first of them in production; 3 and 5 must never serve."""
    first = publish(tiny_model(folder / "1", "v1"))
    models = [
        tiny_model(folder / "2", "v2"), broken_model(folder / "3"), tiny_model(folder / "4", "v4"),
        spoilt_model(folder / "5"), tiny_model(folder / "6", "v6"),
    ]  # fmt: skip
    return [first, *(publish(model, alias=None) for model in models)]


@pytest.mark.slow  # two busy workers; the story has its swap under requests
@pytest.mark.parametrize("pause", [0.3, 10.0])
def test_five_promotions_two_of_them_bad_under_load(
    mlflow_server: str, publish: Publish, tmp_path: Path, registered_model: str, pause: float
) -> None:
    with api(tmp_path, mlflow_server, registered_model=registered_model, workers="2") as running:
        assert running.get("/health").json()["model_loaded"] is False
        assert running.get("/ready").status_code == 503
        assert running.post("/recommend", {"user_id": 1}).status_code == 503
        releases = published(publish, tmp_path)
        wait_until(lambda: both_serve(running, "1"))
        with asking(running, workers=2) as clients:
            moved = []
            for release in releases[1:]:
                time.sleep(pause)
                moved.append(time.monotonic())
                set_alias(registered_model, release)
                follow(running, clients, release)
            time.sleep(pause)
            set_alias(registered_model, releases[0])  # and back by hand
            wait_until(lambda: all(c.versions[-1] == "1" for c in clients), "the way back")
            assert set(owners(running, clients)) == {w.pid for w in running.workers()}
            memory = [psutil.Process(w.pid).memory_info().rss for w in running.workers()]
        assert [client.failure for client in clients] == [None] * len(clients)
        assert [client.wrong for client in clients] == [[]] * len(clients)
        assert [client.versions for client in clients] == [[*GOOD, "1"]] * len(clients)
        assert max(memory) < MEMORY_LIMIT
    assert running.lines()[-1]["message"].startswith("Stopping parent process")
    report(clients, moved)


def both_serve(running: Api, version: str) -> bool:
    figures = running.get("/metrics").text.splitlines()
    wanted = [line for line in figures if line.startswith("cinematch_model_version{")]
    return len(wanted) == 2 and all(float(line.split()[-1]) == float(version) for line in wanted)


def follow(running: Api, clients: list[Client], release: Release) -> None:
    """Wait until every client was answered by a version, or until both workers refused it."""
    version = release.version
    if version in GOOD:
        wait_until(lambda: all(c.versions[-1] == version for c in clients), f"version {version}")
    else:
        wait_until(
            lambda: all((problem(running.url) or "").startswith(f"version {version}")
                        for _ in range(10)),
            f"a refusal of version {version}",
        )  # fmt: skip


def report(clients: list[Client], moved: list[float]) -> None:
    """Log how long answers took, in the seconds after promotions and otherwise."""
    asked = sorted(itertools.chain.from_iterable(client.seconds for client in clients))
    near = [any(0 <= begin - at < SWAP for at in moved) for begin, _ in asked]
    for name, wanted in (("after a promotion", True), ("otherwise", False)):
        taken = sorted(s for (_, s), close in zip(asked, near, strict=True) if close is wanted)
        if taken:
            p50, p99 = (1000 * taken[int(share * (len(taken) - 1))] for share in (0.5, 0.99))
            logger.info(
                "%s: %d answers, p50 %.1f ms, p99 %.1f ms, longest %.1f ms",
                name, len(taken), p50, p99, 1000 * taken[-1],
            )  # fmt: skip
