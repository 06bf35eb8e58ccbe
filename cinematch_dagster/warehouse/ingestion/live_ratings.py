"""Ratings that the API has taken, on their way into a weekly batch."""

from collections.abc import Iterable

import pandas as pd
import psycopg

from cinematch_dagster.postgres.copy import copy_out
from cinematch_dagster.warehouse.statements import query
from serving.live import Event
from serving.live.postgres_store import WRITERS_TURN


def take_over(connection: psycopg.Connection, events: Iterable[Event]) -> None:
    """Store the events from elsewhere that are not here yet, in their order, in one statement."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [WRITERS_TURN])
    connection.execute(query("ingestion/live_ratings_elsewhere"))
    with connection.cursor().copy("COPY live_ratings_elsewhere FROM STDIN") as copy:
        for place, e in enumerate(events):
            copy.write_row((place, e.key, e.user_id, e.movie_id, e.rating, e.given_at))
    connection.execute(query("ingestion/live_ratings_insert"))


def assign_waiting(connection: psycopg.Connection, batch_id: str) -> int:
    """Give everything that waits to a batch, for good; return how many events that were."""
    return connection.execute(
        "UPDATE live_ratings SET batch_id = %s WHERE batch_id IS NULL", [batch_id]
    ).rowcount


def live_batch(connection: psycopg.Connection, batch_id: str) -> pd.DataFrame:
    """Return a batch's ratings frame: the latest of each pair, unless it was taken back."""
    return copy_out(connection, query("ingestion/live_ratings_of_batch"), {"batch_id": batch_id})


def live_batches(connection: psycopg.Connection) -> list[str]:
    """Return the ids of all batches that live ratings were given to."""
    found = connection.execute(
        "SELECT DISTINCT batch_id FROM live_ratings WHERE batch_id IS NOT NULL"
    )
    return [row[0] for row in found]


def live_batches_not_loaded(connection: psycopg.Connection) -> list[str]:
    """Return the ids of those whose file, as it was written, is not loaded and never was."""
    return [row[0] for row in connection.execute(query("ingestion/live_batches_not_loaded"))]


def written_digest(connection: psycopg.Connection, batch_id: str) -> str | None:
    """Return the sha256 of the file that was written of a batch; None before that."""
    found = connection.execute("SELECT sha256 FROM live_batches WHERE batch_id = %s", [batch_id])
    row = found.fetchone()
    return row[0] if row else None


def record_written(connection: psycopg.Connection, batch_id: str, sha256: str) -> None:
    """Write down the sha256 of the file that was written of a batch."""
    connection.execute(
        query("ingestion/live_batch_written"), {"batch_id": batch_id, "sha256": sha256}
    )
