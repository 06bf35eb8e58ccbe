"""The ratings given since the store began, by user, as every worker remembers them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import TypeVar

from serving.live.events import Event, RatingStore, StoredEvent, StoreError

logger = logging.getLogger(__name__)
A = TypeVar("A")
T = TypeVar("T")

WRITERS = 4
"""Events that are being stored at a time; others wait for their turn."""

SLICE = 1_000
"""Events that are counted at a time, in about a millisecond; requests are answered in between."""

NOTHING: Mapping[int, float | None] = MappingProxyType({})


class LiveRatings:
    """The latest event of every pair; reading is a dictionary look-up, never a query.

    What this process stores counts when `add` returns. What others store counts here after the
    next look into the store. The store has threads of its own: while it is out of reach, nothing
    else waits for one.
    """

    def __init__(self, store: RatingStore) -> None:
        self.problem: str | None = None
        self._store = store
        self._threads = ThreadPoolExecutor(WRITERS + 1, "ratings")  # one of them looks
        self._turns = asyncio.Semaphore(WRITERS)
        self._failure: str | None = None  # of the last call of the store
        self._seen = 0
        self._stars: dict[int, dict[int, float | None]] = {}
        self._places: dict[tuple[int, int], int] = {}

    def of(self, user_id: int) -> Mapping[int, float | None]:
        """Return a user's ratings since the store began: movie id to stars, None if taken back."""
        return self._stars.get(user_id, NOTHING)

    async def add(self, event: Event) -> None:
        """Store an event and count it.

        Where others are being stored, it hears of a store out of reach as soon as they do.

        Raises:
            StoreError: it was not stored, and does not count.
        """
        if busy := self._turns.locked():
            self._require_store()
        async with self._turns:
            if busy:
                self._require_store()
            self._count(await self._ask(self._store.add, event))

    async def watch(self, seconds: float) -> None:
        """Look for events of other processes for ever."""
        while True:
            await self.look()
            await asyncio.sleep(seconds)

    async def look(self) -> None:
        """Count what the store has since the last look; log a failure when it is new."""
        try:
            found = await self._ask(self._store.after, self._seen)
        except StoreError as error:
            self._note(str(error))
            return
        except Exception as error:
            self._note(f"unexpected {type(error).__name__}", error)
            return
        for begin in range(0, len(found), SLICE):
            for stored in found[begin : begin + SLICE]:
                self._count(stored)
                self._seen = stored.place
            await asyncio.sleep(0)
        self._note(None)

    def close(self) -> None:
        """Close the store."""
        self._store.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _ask(self, call: Callable[[A], T], argument: A) -> T:
        try:
            answer = await asyncio.get_running_loop().run_in_executor(self._threads, call, argument)
        except StoreError as error:
            self._failure = str(error)
            raise
        self._failure = None
        return answer

    def _require_store(self) -> None:
        if self._failure:
            raise StoreError(self._failure)

    def _count(self, stored: StoredEvent) -> None:
        event = stored.event
        pair = (event.user_id, event.movie_id)
        if stored.place > self._places.get(pair, 0):
            self._places[pair] = stored.place
            self._stars.setdefault(event.user_id, {})[event.movie_id] = event.rating

    def _note(self, problem: str | None, error: Exception | None = None) -> None:
        if problem != self.problem:
            self.problem = problem
            logger.warning(problem or "the store of ratings answers again", exc_info=error)
