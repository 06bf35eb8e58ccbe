"""Which weeks have a new or changed file in the landing folder."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from cinematch_dagster.batches import BadBatchError
from cinematch_dagster.batches.parts import part_files
from cinematch_dagster.batches.weeks import WEEK, week_of
from cinematch_dagster.pipeline.preparation.files import file_sha256


@dataclass(frozen=True)
class Arrival:
    """A batch in the folder; `stamp` (times of change and size) tells versions apart."""

    batch_id: str
    week: datetime.date
    path: Path
    stamp: str

    @cached_property
    def sha256(self) -> str:
        """The digest of the batch's bytes, as hexadecimal digits."""
        return file_sha256(self.path)


class Landed(NamedTuple):
    """What lies in the folder.

    found: the batches in the order of their weeks.
    unknown: the names that are no week's.
    unreadable: what can't be read now, and why, by its name.
    """

    found: list[Arrival]
    unknown: list[str]
    unreadable: dict[str, str]


def arrivals(folder: Path, first_week: datetime.date, weeks: int) -> Landed:
    """Look at what lies in the landing folder; one thing that can't be read hides no other."""
    landed = Landed([], [], {})
    last = first_week + (weeks - 1) * WEEK
    for path in sorted(folder.glob("*.parquet")):
        try:
            week = week_of(path.stem, first_week)
        except ValueError:
            week = datetime.date.max
        if week > last:
            landed.unknown.append(path.name)
            continue
        try:
            landed.found.append(Arrival(path.stem, week, path, _stamp(path)))
        except (OSError, BadBatchError) as error:
            landed.unreadable[path.name] = str(error)
    landed.found.sort(key=lambda arrival: arrival.week)
    return landed


def readable(landed: Landed, new: Sequence[Arrival]) -> list[Arrival]:
    """Return the new arrivals whose bytes can be read; the others were never found."""
    for arrival in new:
        try:
            _ = arrival.sha256
        except (OSError, BadBatchError) as error:
            landed.unreadable[arrival.path.name] = str(error)
    landed.found[:] = [a for a in landed.found if a.path.name not in landed.unreadable]
    return [a for a in new if a.path.name not in landed.unreadable]


def _stamp(path: Path) -> str:
    """Return the times of change and the size of a file, of a folder those of its parts.

    Nobody can set the time at which a file came to this place: one that is restored with its old
    time has another stamp than before.
    """
    stats = [part.stat() for part in part_files(path)]
    latest = (max(s.st_mtime_ns for s in stats), max(s.st_ctime_ns for s in stats))
    return ":".join(map(str, (*latest, sum(s.st_size for s in stats))))


@dataclass(frozen=True)
class RequestedFile:
    """A file of which a load was requested: its stamp and digest, when (unix s) and how often."""

    stamp: str
    sha256: str
    at: float
    times: int = 1


def fresh(found: Iterable[Arrival], asked: Mapping[str, RequestedFile]) -> list[Arrival]:
    """Return the arrivals that were not there, or not with this stamp, at the last look."""
    return [a for a in found if a.batch_id not in asked or asked[a.batch_id].stamp != a.stamp]
