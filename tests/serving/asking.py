"""Clients that never stop asking, and look at every answer."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import psutil

from tests.serving.support import Api, wait_until

STRANGER = 999
PAUSE = 0.005
"""Seconds between two questions of a client."""


def questions() -> list[tuple[str, object]]:
    """Known users, one with a wish, an unknown one with ratings, a cold one; and titles."""
    ratings = [{"movieId": 10, "rating": 5}, {"movieId": 20, "rating": 2.5}]
    return [
        ("/recommend", {"user_id": 1}),
        ("/recommend", {"user_id": 2, "genres": ["Drama"], "diversity": 0.5}),
        ("/recommend", {"user_id": STRANGER, "ratings": ratings}),
        ("/recommend", {"user_id": STRANGER}),
        ("/predict_top_of_top", {"user_id": 2, "top_k": 3}),
        ("/movies?query=title", None),
    ]


@dataclass
class Client:
    """One connection, which one worker answers.

    Attributes:
        versions: that answered, each change once.
        seconds: when a question was asked, and how long the answer took.
        wrong: answers that are not 2xx, or whose titles are not of the version that they name.
        failure: what ended the connection.
        port: its own.
    """

    http: httpx.Client
    versions: list[str] = field(default_factory=list)
    seconds: list[tuple[float, float]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    failure: Exception | None = None
    port: int = 0

    def ask(self, path: str, body: object) -> None:
        """Ask once."""
        begin = time.monotonic()
        answer = self.http.post(path, json=body) if body else self.http.get(path)
        self.seconds.append((begin, time.monotonic() - begin))
        self.port = answer.extensions["network_stream"].get_extra_info("client_addr")[1]
        found = answer.json()
        version = found.get("model_version")
        titles = [movie["title"] for movie in found.get("recommendations", found.get("movies", []))]
        if (
            not answer.is_success
            or not titles
            or not all(t.endswith(f"(v{version})") for t in titles)
        ):
            self.wrong.append(f"{answer.status_code} {answer.text}")
        elif self.versions[-1:] != [version]:
            self.versions.append(version)


@contextmanager
def asking(running: Api, workers: int, clients: int = 4) -> Iterator[list[Client]]:
    """Ask on some connections inside a `with` block, at least one of them for each worker."""
    opened: list[Client] = []
    ended = threading.Event()

    def ask_on(client: Client) -> None:
        try:
            while not ended.is_set():
                for path, body in questions():
                    client.ask(path, body)
                    time.sleep(PAUSE)
        except httpx.HTTPError as error:
            client.failure = error

    def enough() -> bool:
        client = Client(httpx.Client(base_url=running.url, timeout=30))
        client.ask(*questions()[0])
        opened.append(client)
        return len(opened) >= clients and len(owners(running, opened)) >= workers

    wait_until(enough, "an answer of each worker")
    threads = [threading.Thread(target=ask_on, args=[client]) for client in opened]
    for thread in threads:
        thread.start()
    try:
        yield opened
    finally:
        ended.set()
        for thread in threads:
            thread.join()
        for client in opened:
            client.http.close()


def owners(running: Api, clients: list[Client]) -> dict[int, list[Client]]:
    """Return the clients of each worker, by its process id."""
    ports = {client.port: client for client in clients}
    pids = [worker.pid for worker in running.workers()] or [running.process.pid]
    return {
        pid: own
        for pid in pids
        if (own := [ports[c.raddr.port] for c in psutil.Process(pid).net_connections("tcp")
                    if c.raddr and c.raddr.port in ports])
    }  # fmt: skip
