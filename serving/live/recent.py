"""The ratings given since training, by user, as every worker remembers them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from types import MappingProxyType

from serving.live.events import Event, RatingStore, StoredEvent, StoreError

logger = logging.getLogger(__name__)

NOTHING: Mapping[int, float | None] = MappingProxyType({})


class Recent:
    """The latest event of every pair; reading is a dictionary look-up, never a query.

    What this process stores counts when `add` returns. What others store counts here after the
    next look into the store.
    """

    def __init__(self, store: RatingStore) -> None:
        self.problem: str | None = None
        self._store = store
        self._seen = 0
        self._stars: dict[int, dict[int, float | None]] = {}
        self._places: dict[tuple[int, int], int] = {}

    def of(self, user_id: int) -> Mapping[int, float | None]:
        """Return a user's ratings since the store began: movie id to stars, None if taken back."""
        return self._stars.get(user_id, NOTHING)

    async def add(self, event: Event) -> None:
        """Store an event and count it.

        Raises:
            StoreError: it was not stored, and does not count.
        """
        self._count(await asyncio.to_thread(self._store.add, event))

    async def watch(self, seconds: float) -> None:
        """Look for events of other processes for ever."""
        while True:
            await self.look()
            await asyncio.sleep(seconds)

    async def look(self) -> None:
        """Count what the store has since the last look; log a failure when it is new."""
        try:
            found = await asyncio.to_thread(self._store.after, self._seen)
        except StoreError as error:
            self._note(str(error))
            return
        for stored in found:
            self._count(stored)
            self._seen = stored.place
        self._note(None)

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def _count(self, stored: StoredEvent) -> None:
        event = stored.event
        pair = (event.user_id, event.movie_id)
        if stored.place > self._places.get(pair, 0):
            self._places[pair] = stored.place
            self._stars.setdefault(event.user_id, {})[event.movie_id] = event.rating

    def _note(self, problem: str | None) -> None:
        if problem != self.problem:
            self.problem = problem
            logger.warning(problem or "the store of ratings answers again")
