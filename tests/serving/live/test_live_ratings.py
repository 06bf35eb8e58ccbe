import asyncio
import logging
import threading
from pathlib import Path

import pytest

from serving.live import Event, LiveRatings, StoredEvent, StoreError
from serving.live.file_store import FileStore
from serving.live.live_ratings import SLICE, WRITERS
from tests.serving.live.stores import event

pytestmark = pytest.mark.anyio


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "ratings.jsonl")


async def test_nobody_has_rated_anything(store: FileStore) -> None:
    live_ratings = LiveRatings(store)
    await live_ratings.look()
    assert live_ratings.of(1) == {}


async def test_a_rating_counts_at_once_here_and_after_a_look_elsewhere(store: FileStore) -> None:
    here, elsewhere = LiveRatings(store), LiveRatings(store)
    await here.add(event(1, 10, 4.0))
    assert here.of(1) == {10: 4.0}
    assert elsewhere.of(1) == {}
    await elsewhere.look()
    assert elsewhere.of(1) == {10: 4.0}


async def test_the_latest_event_of_a_pair_counts(store: FileStore) -> None:
    live_ratings = LiveRatings(store)
    for rating in (4.0, 4.0, 2.5):
        await live_ratings.add(event(1, 10, rating))
    await live_ratings.add(event(1, 20, 5.0))
    await live_ratings.add(event(1, 20, None))
    await live_ratings.add(event(2, 10, 1.0))
    assert live_ratings.of(1) == {10: 2.5, 20: None}
    again = LiveRatings(store)
    await again.look()
    assert (again.of(1), again.of(2)) == (live_ratings.of(1), live_ratings.of(2))


async def test_a_look_does_not_bring_back_what_was_changed_here(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    live_ratings = LiveRatings(store)
    await live_ratings.add(event(1, 10, 4.0))
    first = store.after(0)
    await live_ratings.add(event(1, 10, 2.0))
    monkeypatch.setattr(store, "after", lambda _: first)  # a look that began before
    await live_ratings.look()
    assert live_ratings.of(1) == {10: 2.0}


class Away:
    """A store out of reach."""

    def add(self, event: Event) -> StoredEvent:
        raise StoreError(f"away: {event.key}")

    def after(self, place: int) -> list[StoredEvent]:
        raise StoreError(f"away: {place}")

    def close(self) -> None:
        pass


async def test_what_is_not_stored_does_not_count() -> None:
    live_ratings = LiveRatings(Away())
    with pytest.raises(StoreError):
        await live_ratings.add(event(1, 10))
    assert live_ratings.of(1) == {}


async def test_a_store_out_of_reach_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    live_ratings = LiveRatings(Away())
    with caplog.at_level(logging.WARNING):
        await live_ratings.look()
        await live_ratings.look()
    assert [record.message for record in caplog.records] == ["away: 0"]
    assert live_ratings.problem == "away: 0"


class Hanging(Away):
    """A store out of reach that says so only once it is released."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.asked = 0

    def add(self, event: Event) -> StoredEvent:
        self.asked += 1
        self.released.wait(60)
        return super().add(event)


async def test_ratings_that_wait_for_the_store_hold_up_nothing_else() -> None:
    store = Hanging()
    live_ratings = LiveRatings(store)
    adding = [asyncio.create_task(live_ratings.add(event(1, movie))) for movie in range(1, 21)]
    await asyncio.sleep(0)
    try:
        await asyncio.wait_for(asyncio.to_thread(lambda: None), 10)
    finally:
        store.released.set()
        answers = await asyncio.gather(*adding, return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoreError] * 20
    assert store.asked == WRITERS  # the others heard of it when these did
    live_ratings.close()


async def test_while_the_store_is_out_of_reach_few_wait_for_it() -> None:
    store = Hanging()
    live_ratings = LiveRatings(store)
    await live_ratings.look()
    adding = [asyncio.create_task(live_ratings.add(event(1, movie))) for movie in range(WRITERS)]
    await asyncio.sleep(0)
    try:
        with pytest.raises(StoreError, match="away: 0"):
            await asyncio.wait_for(live_ratings.add(event(1, 99)), 10)
    finally:
        store.released.set()
        await asyncio.gather(*adding, return_exceptions=True)
    live_ratings.close()


async def test_many_events_are_counted_in_slices(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = [StoredEvent(n, event(1, n)) for n in range(1, 3 * SLICE + 1)]
    monkeypatch.setattr(store, "after", lambda _: stored)
    live_ratings = LiveRatings(store)
    looking = asyncio.create_task(live_ratings.look())
    counts = set()
    while not looking.done():
        counts.add(len(live_ratings.of(1)))
        await asyncio.sleep(0)
    assert counts >= {SLICE, 2 * SLICE}
    assert len(live_ratings.of(1)) == 3 * SLICE


async def test_an_unexpected_error_does_not_end_the_watching(
    store: FileStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store.add(event(1, 10))
    answer, failures = store.after, [ValueError("one"), ValueError("two")]

    def after(place: int) -> list[StoredEvent]:
        if failures:
            raise failures.pop()
        return answer(place)

    monkeypatch.setattr(store, "after", after)
    live_ratings = LiveRatings(store)
    watching = asyncio.create_task(live_ratings.watch(0.01))
    async with asyncio.timeout(60):
        while not live_ratings.of(1):
            await asyncio.sleep(0.01)
    watching.cancel()
    assert [record.message for record in caplog.records] == [
        "unexpected ValueError",
        "the store of ratings answers again",
    ]
    assert "Traceback" in caplog.text
