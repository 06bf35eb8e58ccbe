"""Events in an append-only file, a JSON object a line: the store where there is no database."""

from __future__ import annotations

import datetime
import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serving.base.files import sync
from serving.live.append import append_line, locked
from serving.live.events import Event, StoredEvent, StoreError
from serving.live.places import Places

MARK_BYTES = 64
"""The end of what was read, with the time of the last event: by it the file is recognised."""


class FileStore:
    """A file shared by every process of one machine; an event's place is where its line ends.

    A line is written under a lock and forced to the disk before `add` returns, or it is not there
    at all. What a process that was killed left of a line was never acknowledged: the next writer
    closes it, and readers skip it. A file that was truncated, rotated or replaced is read again
    from its beginning, its events after those of the one before.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places = Places()

    def add(self, event: Event) -> StoredEvent:
        """Append the event."""
        line = json.dumps(_as_json(event)).encode()
        with _translated():
            new = not self.path.exists()
            with self._places.lock, locked(self.path) as file:
                self._recognise(file)
                end = append_line(file, line, sync=True)
                self._remember(file, end)
                place = self._places.place(end)
            if new:
                sync(self.path.parent)
        return StoredEvent(place, event)

    def after(self, place: int) -> list[StoredEvent]:
        """Read the whole lines beyond a place."""
        with _translated(), self._places.lock:
            try:
                file = os.open(self.path, os.O_RDONLY)
            except FileNotFoundError:
                return []
            try:
                self._recognise(file)
                begin = self._places.position(place)
                data = _read(file, begin)
                data = data[: data.rfind(b"\n") + 1]
                self._remember(file, begin + len(data))
            finally:
                os.close(file)
            return list(self._events(begin, data))

    def _recognise(self, file: int) -> None:
        """Begin anew where the file is not the one that was read."""
        if self._places.seen and self._places.mark != _mark(file, self._places.seen):
            self._places.restart()

    def _remember(self, file: int, end: int) -> None:
        if end > self._places.seen:
            self._places.seen, self._places.mark = end, _mark(file, end)

    def close(self) -> None:
        """Nothing is held open."""

    def _events(self, end: int, data: bytes) -> Iterator[StoredEvent]:
        for line in data.splitlines(keepends=True):
            end += len(line)
            try:
                event = _from_json(json.loads(line)) if line.strip() else None
            except (ValueError, KeyError, TypeError):
                continue
            if event:
                yield StoredEvent(self._places.place(end), event)


def _mark(file: int, end: int) -> bytes:
    return os.pread(file, MARK_BYTES, max(0, end - MARK_BYTES)) if end else b""


def _read(file: int, begin: int) -> bytes:
    with os.fdopen(file, "rb", closefd=False) as opened:
        opened.seek(begin)
        return opened.read()


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
