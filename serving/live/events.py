"""What happens to ratings: a user gives one, changes it, or withdraws it."""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass, field
from typing import Protocol


class StoreError(Exception):
    """The event is not stored, or the store can't be read; the message may be shown to a caller."""


@dataclass(frozen=True, slots=True)
class Event:
    """One rating, given now.

    Attributes:
        user_id: MovieLens id.
        movie_id: MovieLens id.
        rating: stars, 0.5 to 5 in half stars; None takes the rating back.
        key: tells the event apart from all others, wherever it is copied to.
        given_at: in UTC.
    """

    user_id: int
    movie_id: int
    rating: float | None
    key: uuid.UUID = field(default_factory=uuid.uuid4)
    given_at: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.UTC))


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event and its place in the store: of two about one pair, the higher place counts."""

    place: int
    event: Event


class RatingStore(Protocol):
    """Keeps events in one order that all processes see. Calls wait for the disk: use a thread."""

    def add(self, event: Event) -> StoredEvent:
        """Return once the event survives a crash of the process and of the machine.

        Raises:
            StoreError: it was not stored.
        """

    def after(self, place: int) -> list[StoredEvent]:
        """Return the events beyond a place, in order; from 0 on all of them.

        Raises:
            StoreError: the store does not answer.
        """

    def close(self) -> None:
        """Let go of files and connections."""
