"""Events in an append-only file, a JSON object a line: the store where there is no database."""

from __future__ import annotations

import datetime
import fcntl
import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serving.base.files import sync
from serving.live.events import Event, StoredEvent, StoreError


class FileStore:
    """A file shared by every process of one machine; an event's place is where its line ends.

    A line is written under a lock and forced to the disk before `add` returns. What a process
    that was killed left of a line was never acknowledged: the next writer closes it, and readers
    skip it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, event: Event) -> StoredEvent:
        """Append the event."""
        line = json.dumps(_as_json(event)).encode() + b"\n"
        with _translated():
            new = not self.path.exists()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                end = file.seek(0, os.SEEK_END)
                if end and os.pread(file.fileno(), 1, end - 1) != b"\n":
                    line = b"\n" + line
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
            if new:
                sync(self.path.parent)
        return StoredEvent(end + len(line), event)

    def after(self, place: int) -> list[StoredEvent]:
        """Read the whole lines beyond a place."""
        with _translated():
            if not self.path.exists():
                return []
            with self.path.open("rb") as file:
                file.seek(place)
                data = file.read()
        return list(self._events(place, data[: data.rfind(b"\n") + 1]))

    def close(self) -> None:
        """Nothing is held open."""

    def _events(self, place: int, data: bytes) -> Iterator[StoredEvent]:
        for line in data.splitlines(keepends=True):
            place += len(line)
            try:
                event = _from_json(json.loads(line)) if line.strip() else None
            except (ValueError, KeyError, TypeError):
                continue
            if event:
                yield StoredEvent(place, event)


def _as_json(event: Event) -> dict[str, object]:
    return {
        "key": str(event.key),
        "userId": event.user_id,
        "movieId": event.movie_id,
        "rating": event.rating,
        "given_at": event.given_at.isoformat(),
    }


def _from_json(line: dict[str, str]) -> Event:
    stars = line["rating"]
    return Event(
        user_id=int(line["userId"]),
        movie_id=int(line["movieId"]),
        rating=None if stars is None else float(stars),
        key=uuid.UUID(line["key"]),
        given_at=datetime.datetime.fromisoformat(line["given_at"]),
    )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"the file of ratings can't be used ({error.strerror})") from error
