import logging
from pathlib import Path

import pytest

from serving.live import Event, Recent, StoredEvent, StoreError
from serving.live.file_store import FileStore
from tests.serving.live.stores import event

pytestmark = pytest.mark.anyio


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "ratings.jsonl")


async def test_nobody_has_rated_anything(store: FileStore) -> None:
    recent = Recent(store)
    await recent.look()
    assert recent.of(1) == {}


async def test_a_rating_counts_at_once_here_and_after_a_look_elsewhere(store: FileStore) -> None:
    here, elsewhere = Recent(store), Recent(store)
    await here.add(event(1, 10, 4.0))
    assert here.of(1) == {10: 4.0}
    assert elsewhere.of(1) == {}
    await elsewhere.look()
    assert elsewhere.of(1) == {10: 4.0}


async def test_the_latest_event_of_a_pair_counts(store: FileStore) -> None:
    recent = Recent(store)
    for rating in (4.0, 4.0, 2.5):
        await recent.add(event(1, 10, rating))
    await recent.add(event(1, 20, 5.0))
    await recent.add(event(1, 20, None))
    await recent.add(event(2, 10, 1.0))
    assert recent.of(1) == {10: 2.5, 20: None}
    again = Recent(store)
    await again.look()
    assert (again.of(1), again.of(2)) == (recent.of(1), recent.of(2))


async def test_a_look_does_not_bring_back_what_was_changed_here(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    recent = Recent(store)
    await recent.add(event(1, 10, 4.0))
    first = store.after(0)
    await recent.add(event(1, 10, 2.0))
    monkeypatch.setattr(store, "after", lambda _: first)  # a look that began before
    await recent.look()
    assert recent.of(1) == {10: 2.0}


class Away:
    """A store out of reach."""

    def add(self, event: Event) -> StoredEvent:
        raise StoreError(f"away: {event.key}")

    def after(self, place: int) -> list[StoredEvent]:
        raise StoreError(f"away: {place}")

    def close(self) -> None:
        pass


async def test_what_is_not_stored_does_not_count() -> None:
    recent = Recent(Away())
    with pytest.raises(StoreError):
        await recent.add(event(1, 10))
    assert recent.of(1) == {}


async def test_a_store_out_of_reach_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    recent = Recent(Away())
    with caplog.at_level(logging.WARNING):
        await recent.look()
        await recent.look()
    assert [record.message for record in caplog.records] == ["away: 0"]
    assert recent.problem == "away: 0"
