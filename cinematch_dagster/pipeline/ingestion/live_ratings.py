"""The ratings that users gave to the API become the next weekly batch, each rating exactly once.

First, in one transaction, everything that waits is given to a batch; then the batch's file and its
digest are written. The file follows from the table alone, so that a run which died in between is
made good by the next one, with the same bytes. The batch is called `live_wN`, beside the feed's
`batch_wN`: neither can take the other's place.
"""

import datetime
from dataclasses import dataclass
from pathlib import Path

import psycopg

from cinematch_dagster.batches import week_of, week_zero, write_batch
from cinematch_dagster.batches.weeks import WEEK, is_batch_id, live_id
from cinematch_dagster.pipeline.ingestion.load import batch_path
from cinematch_dagster.pipeline.preparation.files import file_sha256
from cinematch_dagster.pipeline.preparation.prepare import Folders
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import Settings
from cinematch_dagster.warehouse.ingestion.batches import known_batches
from cinematch_dagster.warehouse.ingestion.live_ratings import (
    assign_waiting,
    live_batch,
    live_batches,
    live_batches_not_loaded,
    record_written,
    take_over,
    written_digest,
)
from cinematch_dagster.warehouse.schema import lock_ratings
from serving.live.file_store import FileStore


class NoWeekLeftError(RuntimeError):
    """The ratings wait on: no week is left for them; the message names the setting."""


@dataclass(frozen=True)
class LiveBatch:
    """A batch file of live ratings that was written now."""

    batch_id: str
    path: Path
    rows: int


def write_out(dsn: str, settings: Settings) -> list[LiveBatch]:
    """Write the next batch file, and any earlier one that is neither loaded nor there as written.

    Returns:
        What was written; nothing when no rating waits.

    Raises:
        NoWeekLeftError: ratings wait, but the last week is taken.
    """
    events = FileStore(settings.live_ratings_file).after(0)
    with connect(dsn) as connection:
        take_over(connection, (stored.event for stored in events))
    with connect(dsn) as connection:
        lock_ratings(connection)
        _assign(connection, settings)
    with connect(dsn) as connection:
        lock_ratings(connection)
        return [
            _write(connection, settings.landing_dir, name)
            for name in live_batches_not_loaded(connection)
            if not _is_written(connection, settings.landing_dir, name)
        ]


def _assign(connection: psycopg.Connection, settings: Settings) -> None:
    """Give what waits to the next batch, unless it comes to nothing."""
    week = _next_week(connection, settings)
    name = live_id(week, settings.data.first_week)
    with connection.transaction() as attempt:
        assign_waiting(connection, name)
        if live_batch(connection, name).empty:
            raise psycopg.Rollback(attempt)
        if week >= settings.data.first_week + settings.data.weeks * WEEK:
            raise NoWeekLeftError(
                f"ratings wait for {name}: at most live_w{settings.data.weeks} was expected "
                "(setting data.weeks)"
            )


def _next_week(connection: psycopg.Connection, settings: Settings) -> datetime.date:
    """Return the week after every one that was tried, lies in the landing folder or is prepared."""
    folders = Folders(settings.prepared_dir)
    files = [
        file.stem
        for folder in (settings.landing_dir, folders.batches, folders.injected)
        for file in folder.glob("*.parquet")
        if is_batch_id(file.stem)
    ]
    taken = [*known_batches(connection), *live_batches(connection), *files]
    first = settings.data.first_week
    return max((week_of(name, first) for name in taken), default=week_zero(first)) + WEEK


def _write(connection: psycopg.Connection, folder: Path, name: str) -> LiveBatch:
    frame = live_batch(connection, name)
    path = write_batch(folder, name, frame, injected=None)
    record_written(connection, name, file_sha256(path))
    return LiveBatch(name, path, len(frame))


def _is_written(connection: psycopg.Connection, folder: Path, name: str) -> bool:
    """Whether the file that was written of a batch waits in the folder, untouched."""
    path = batch_path(folder, name)
    return path.is_file() and file_sha256(path) == written_digest(connection, name)
