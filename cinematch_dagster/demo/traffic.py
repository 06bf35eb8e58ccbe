"""A client that asks the API for recommendations all the time, and counts the answers."""

import threading
import time
from collections import Counter
from typing import Any, Self

import httpx

PAUSE_SECONDS = 0.05


class Traffic:
    """Asks for one user's recommendations in a thread from `with` to the block's end.

    Args:
        url: the API's address.
        user_id: whose recommendations are asked for.
    """

    def __init__(self, url: str, user_id: int) -> None:
        self.user_id = user_id
        self.requests = 0
        self.by_status: Counter[str] = Counter()
        self.by_version: Counter[str] = Counter()
        self.first_seen: dict[str, float] = {}
        self._client = httpx.Client(base_url=url, timeout=10.0)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traffic")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._client.close()

    def ask(self) -> dict[str, Any]:
        """Ask once, outside the count, and return the answer."""
        answer = self._client.post("/recommend", json={"user_id": self.user_id, "top_k": 10})
        return dict(answer.raise_for_status().json())

    def _run(self) -> None:
        while not self._stop.wait(PAUSE_SECONDS):
            self._count(*self._request())

    def _request(self) -> tuple[str, str | None]:
        try:
            answer = self._client.post("/recommend", json={"user_id": self.user_id, "top_k": 10})
        except httpx.TransportError as error:
            return type(error).__name__, None
        version = answer.json().get("model_version") if answer.is_success else None
        return str(answer.status_code), version

    def _count(self, status: str, version: str | None) -> None:
        self.requests += 1
        self.by_status[status] += 1
        if version is not None:
            self.by_version[version] += 1
            self.first_seen.setdefault(version, time.time())
