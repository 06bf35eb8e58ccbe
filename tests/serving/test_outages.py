"""What the API depends on goes away, and comes back: a worker, MLflow, Postgres."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.ports import free_port
from tests.serving.asking import asking, owners
from tests.serving.support import (
    Api,
    Publish,
    api,
    nowhere,
    problem,
    rate,
    rated,
    tiny_model,
    wait_for_problem,
    wait_until,
    with_copy,
)
from tests.serving.wire import wire_to_postgres, wire_to_url


def test_a_worker_that_is_killed_is_replaced_and_nobody_else_notices(tmp_path: Path) -> None:
    with api(with_copy(tmp_path), nowhere(), workers="2") as running:
        running.wait_until_ready()
        before = {worker.pid for worker in running.workers()}
        with asking(running, workers=2) as clients:
            victim = running.workers()[0]
            hit = {client.port: client for client in owners(running, clients)[victim.pid]}
            victim.kill()
            wait_until(
                lambda: all(client.failure or client.port != port for port, client in hit.items()),
                "the end of the connections of the worker that was killed",
            )
            for _ in range(20):  # new connections go to whoever is left
                assert running.post("/recommend", {"user_id": 1}).status_code == 200
            wait_until(lambda: len({w.pid for w in running.workers()} - {victim.pid}) == 2)
            wait_until(lambda: figures_of(running) == 2, "the replacement's model")
        others = [client for client in clients if client not in hit.values()]
        assert others
        assert [client.failure for client in others] == [None] * len(others)
        assert [client.wrong for client in clients] == [[]] * len(clients)
        after = {worker.pid for worker in running.workers()}
        assert before - after == {victim.pid}


def figures_of(running: Api) -> int:
    """Count the workers that say which model they have."""
    return running.get("/metrics").text.count('cinematch_model_version{alias="production",pid=')


@pytest.mark.slow  # test_process.py has its halves
def test_without_mlflow_at_the_start_and_later_what_is_there_answers(
    mlflow_server: str, publish: Publish, tmp_path: Path, registered_model: str
) -> None:
    publish(tiny_model(tmp_path / "v1", "v1"))
    with wire_to_url(mlflow_server) as (wire, near):
        wire.cut()
        with api(tmp_path, near, registered_model=registered_model) as running:
            wait_for_problem(running.url, "MLflow does not answer")
            assert running.get("/health").status_code == 200
            assert running.get("/ready").status_code == 503
            wire.mend()
            running.wait_for_version("1")
            with asking(running, workers=1, clients=2) as clients:
                wire.cut()
                publish(tiny_model(tmp_path / "v2", "v2"))
                wait_for_problem(running.url, "MLflow does not answer")
                wire.mend()
                wait_until(lambda: all(c.versions[-1] == "2" for c in clients), "version 2")
            assert [(c.failure, c.wrong, c.versions) for c in clients] == [
                (None, [], ["1", "2"])
            ] * 2
            wait_until(lambda: problem(running.url) is None)


def test_without_postgres_people_are_answered_and_ratings_refused(
    warehouse_dsn: str, tmp_path: Path
) -> None:
    with wire_to_postgres(warehouse_dsn) as (wire, near):
        wire.cut()
        with api(
            with_copy(tmp_path), nowhere(), database_url=near, ratings_poll_seconds="0.1"
        ) as running:
            running.wait_until_ready()
            assert refused_while_others_are_answered(running)
            wire.mend()
            wait_until(lambda: rate(running.url, 77, 10).status_code == 200, "a stored rating")
            wire.cut()
            assert refused_while_others_are_answered(running)
            assert rated(running.url, 77) == {10}
            wire.mend()
            wait_until(lambda: rate(running.url, 77, 20).status_code == 200, "a stored rating")
            assert rated(running.url, 77) == {10, 20}
        log = running.log.read_text()
    assert log.count("the store of ratings answers again") >= 1
    assert str(near) not in log


def test_many_ratings_without_postgres_wait_no_longer_than_one(tmp_path: Path) -> None:
    nobody = f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"

    def seconds_to_refusal(movie: int) -> float:
        begin = time.monotonic()
        assert rate(running.url, 77, movie).status_code == 503
        return time.monotonic() - begin

    with (
        api(with_copy(tmp_path), nowhere(), database_url=nobody) as running,
        ThreadPoolExecutor(20) as clients,
    ):
        running.wait_until_ready()
        refusals = clients.map(seconds_to_refusal, [10, 20, 30, 40] * 5)
        time.sleep(0.5)
        begin = time.monotonic()
        assert running.get("/movies?query=title").status_code == 200
        assert time.monotonic() - begin < 3
        assert max(refusals) < 8


def test_eight_reloads_of_an_mlflow_that_hangs_keep_nobody_waiting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging, ThreadPoolExecutor(8) as clients:
        address = f"http://127.0.0.1:{hanging.getsockname()[1]}"
        with api(
            with_copy(tmp_path), address, poll_seconds="3600", candidate_mode="split"
        ) as running:
            running.wait_until_ready()
            reloads = [clients.submit(running.post, "/reload-model") for _ in range(8)]
            for _ in range(5):
                for path in ("/movies?query=title", "/movies/10/similar", "/metrics"):
                    assert running.get(path).status_code == 200
                time.sleep(0.1)
            assert not any(reload.done() for reload in reloads)
            running.process.kill()


def refused_while_others_are_answered(running: Api) -> bool:
    """Give a rating, and ask for other things until it is answered."""
    refusals: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: refusals.append(rate(running.url, 77, 30)))
    thread.start()
    count = 0
    while thread.is_alive():
        for answer in (running.post("/recommend", {"user_id": 77}), running.get("/users/77")):
            assert answer.status_code == 200
        count += 1
        time.sleep(0.05)
    (refusal,) = refusals
    assert refusal.status_code == 503
    assert refusal.headers["content-type"] == "application/problem+json"
    assert refusal.json()["detail"] == "the rating is not stored: the database does not answer"
    return count > 0
