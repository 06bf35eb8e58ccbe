"""Weekly batches: into `ratings_buffer`, each once, whole or not at all."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import psycopg

from cinematch_dagster.batches.weeks import is_live
from cinematch_dagster.postgres.connection import connect, one_for_several
from cinematch_dagster.postgres.copy import copy_in, rating_arrays
from cinematch_dagster.warehouse.ingestion.counts import count_genres, delete_counts, write_counts
from cinematch_dagster.warehouse.ingestion.live_ratings import written_digest
from cinematch_dagster.warehouse.ingestion.metadata import (
    BASELINE,
    Ingestion,
    IngestionError,
    begin,
    complete,
    ingestion,
)
from cinematch_dagster.warehouse.schema import lock_ratings
from cinematch_dagster.warehouse.statements import query, scalar

FINAL_ERRORS = (IngestionError, psycopg.DataError, psycopg.IntegrityError)
"""Errors that the same file would meet again; of all others it is not guilty."""


@dataclass(frozen=True)
class Batch:
    """A weekly batch.

    Attributes:
        ratings: a ratings frame.
        sha256: of its file.
        injected: label of the drift injected into it, if any.
        held_out_share: share of its latest rows, rounded down, that is never trained on. Of live
            batches, which may be small, together: what is lost in one week is made up for later.
    """

    batch_id: str
    week: datetime.date
    ratings: pd.DataFrame
    sha256: str
    injected: str | None
    held_out_share: float


@dataclass(frozen=True)
class Loaded:
    """What a load did; `rows` is what the batch has in the database."""

    batch_id: str
    rows: int
    outcome: Literal["loaded", "replaced", "unchanged"]


def load_batch(dsn: str, batch: Batch, connection: psycopg.Connection | None = None) -> Loaded:
    """Load a batch in one transaction: rows, counts and metadata.

    The same file again changes nothing, also after its rows were merged; another file for the same
    batch replaces it. Loads of several processes take turns.

    Args:
        dsn: of the warehouse.
        batch: what to load.
        connection: in autocommit mode, for one load after the other; None for one of its own.

    Raises:
        IngestionError: another file for a batch that was merged, another week for its file, or a
            file of live ratings that was not written from them.
        Exception: whatever went wrong; the batch then has no rows, and status 'failed' with the
            message, written through another connection.
    """
    try:
        with one_for_several(dsn, connection) as open_connection, open_connection.transaction():
            return _load(open_connection, batch)
    except Exception as error:
        is_final = isinstance(error, FINAL_ERRORS)
        with connect(dsn) as other:
            record_failure(
                other, batch.batch_id, batch.week, batch.sha256, str(error), is_final=is_final
            )
        raise


def _load(connection: psycopg.Connection, batch: Batch) -> Loaded:
    lock_ratings(connection)
    known = ingestion(connection, batch.batch_id)
    if known:
        known.expect_week(batch.week)
    if known and known.holds(batch.sha256):
        return Loaded(batch.batch_id, known.record_count, "unchanged")
    if known and known.merged_at:
        raise IngestionError(
            f"{batch.batch_id} was merged with model version {known.merged_version}: "
            f"another file can't replace it (expected sha256 {known.sha256}, got {batch.sha256})"
        )
    _refuse_foreign_file(connection, batch)
    begin(connection, batch.batch_id, batch.week, batch.sha256, batch.injected)
    connection.execute("DELETE FROM ratings_buffer WHERE batch_id = %s", [batch.batch_id])
    rows = _copy(connection, batch)
    count_genres(connection, batch.batch_id)
    complete(connection, batch.batch_id, rows)
    return Loaded(batch.batch_id, rows, "replaced" if _was_loaded(known) else "loaded")


def _refuse_foreign_file(connection: psycopg.Connection, batch: Batch) -> None:
    if not is_live(batch.batch_id):
        return
    written = written_digest(connection, batch.batch_id)
    if written != batch.sha256:
        raise IngestionError(
            f"{batch.batch_id} is kept for live ratings, and this file was not written from them "
            f"(expected sha256 {written or 'none yet'}, got {batch.sha256})"
        )


def _was_loaded(known: Ingestion | None) -> bool:
    return known is not None and known.status == "completed"


def _copy(connection: psycopg.Connection, batch: Batch) -> int:
    ratings = batch.ratings.sort_values(["timestamp", "userId", "movieId"])
    before = _live_rows_before(connection, batch) if is_live(batch.batch_id) else 0
    share = batch.held_out_share
    kept = len(ratings) - (int((before + len(ratings)) * share) - int(before * share))
    columns = rating_arrays(ratings)
    for split, part in (("train", slice(kept)), ("test", slice(kept, None))):
        rows = {name: array[part] for name, array in columns.items()}
        write_counts(connection, batch.batch_id, batch.week, split, rows)
    columns["held_out"] = np.arange(len(ratings)) >= kept
    return copy_in(connection, "ratings_buffer", columns, {"batch_id": batch.batch_id})


def _live_rows_before(connection: psycopg.Connection, batch: Batch) -> int:
    """Return how many live ratings the weeks before a batch's have."""
    return int(scalar(connection, query("ingestion/live_rows_before"), {"week": batch.week}))


def held_out_rows(connection: psycopg.Connection, batch_id: str) -> int:
    """Return how many rows of a loaded batch are held out."""
    statement = (
        b"SELECT coalesce(sum(n), 0)::bigint FROM rating_histogram"
        b" WHERE batch_id = %s AND data_split = 'test'"
    )
    return int(scalar(connection, statement, [batch_id]))


def record_failure(
    connection: psycopg.Connection,
    batch_id: str,
    week: datetime.date,
    sha256: str,
    message: str,
    *,
    is_final: bool = True,
) -> None:
    """Mark a batch as failed, and remove the rows that an earlier file of it left.

    Nothing changes for a batch that was merged, that is another week's, that this very file was
    loaded for meanwhile, or that is loaded and of live ratings: there is no other file of it.
    Where the failure is final the file is refused; else its digest is not written down, and the
    file may be loaded yet.
    """
    lock_ratings(connection)
    known = ingestion(connection, batch_id)
    if known and (known.merged_at or known.week != week or known.holds(sha256)):
        return
    if known and known.status == "completed" and is_live(batch_id):
        return
    connection.execute("DELETE FROM ratings_buffer WHERE batch_id = %s", [batch_id])
    delete_counts(connection, batch_id)
    connection.execute(
        query("ingestion/ingestion_fail"),
        {
            "batch_id": batch_id,
            "week": week,
            "sha256": sha256 if is_final else "",
            "message": message,
        },
    )


def finalized(connection: psycopg.Connection, files: Mapping[str, str]) -> set[str]:
    """Return the batches of which a file can't change anything more.

    It was loaded or refused, or the batch was merged, or is one of live ratings and loaded.

    Args:
        connection: used within its current transaction.
        files: the sha256 of each batch's file.
    """
    found = connection.execute(
        query("ingestion/batches_finalized"),
        {"names": list(files), "digests": list(files.values())},
    )
    return {row[0] for row in found}


def known_batches(connection: psycopg.Connection) -> dict[str, tuple[str, str]]:
    """Return sha256 and status of every batch that was ever tried, by its id."""
    found = connection.execute(
        "SELECT batch_id, sha256, status FROM ingestion_metadata WHERE batch_id <> %s", [BASELINE]
    )
    return {batch_id: (sha256, status) for batch_id, sha256, status in found}


def injected_drift(connection: psycopg.Connection, week: datetime.date) -> str | None:
    """Return the label of the drift injected into a week's batch, if any."""
    label: str | None = scalar(
        connection, b"SELECT max(injected) FROM ingestion_metadata WHERE week = %s", [week]
    )
    return label


def buffer_status(connection: psycopg.Connection) -> dict[str, Any]:
    """Return what the buffer holds, ready for JSON.

    Keys: `total` (rows in the buffer), `batches` (those in it, by week) and `history` (every load
    ever tried, the newest first).
    """
    status: dict[str, Any] = scalar(connection, query("ingestion/buffer_status"))
    return status
