"""Which weeks have a new or changed file in the landing folder."""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cinematch_dagster.batches.weeks import WEEK, week_of
from cinematch_dagster.pipeline.preparation.files import file_sha256


@dataclass(frozen=True)
class Arrival:
    """A batch file in the folder; `stamp` (time of change and size) tells versions apart."""

    batch_id: str
    week: datetime.date
    path: Path
    stamp: str

    @cached_property
    def sha256(self) -> str:
        """The digest of the file's bytes, as hexadecimal digits."""
        return file_sha256(self.path)


def arrivals(
    folder: Path, first_week: datetime.date, weeks: int
) -> tuple[list[Arrival], list[str]]:
    """Return the batch files in the order of their weeks, and the names that are no week's."""
    found: list[Arrival] = []
    strangers: list[str] = []
    last = first_week + (weeks - 1) * WEEK
    for path in sorted(folder.glob("*.parquet")):
        try:
            week = week_of(path.stem, first_week)
        except ValueError:
            week = datetime.date.max
        if week > last:
            strangers.append(path.name)
            continue
        stat = path.stat()
        found.append(Arrival(path.stem, week, path, f"{stat.st_mtime_ns}:{stat.st_size}"))
    return sorted(found, key=lambda a: a.week), strangers


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
