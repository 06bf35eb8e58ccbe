"""The row of `ingestion_metadata` that goes with every load."""

import datetime
from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

from cinematch_dagster.warehouse.ingestion.counts import delete_counts
from cinematch_dagster.warehouse.statements import query

#: batch_id of the initial load.
BASELINE = "baseline"


class IngestionError(ValueError):
    """Ratings can't be loaded over what is there; the message says what is there."""


@dataclass(frozen=True)
class Ingestion:
    """What is known about a load."""

    batch_id: str
    week: datetime.date
    sha256: str
    status: str
    record_count: int
    injected: str | None
    merged_at: datetime.datetime | None
    merged_version: str | None

    def expect_week(self, week: datetime.date) -> None:
        """Refuse another week than the one it was loaded as.

        Raises:
            IngestionError: it is another one, as after a change of `data.first_week`.
        """
        if self.status == "completed" and self.week != week:
            raise IngestionError(
                f"{self.batch_id} was loaded as week {self.week} and can't be week {week} "
                "(expected the setting data.first_week that it was loaded with, or an empty "
                "database)"
            )

    def holds(self, sha256: str) -> bool:
        """Whether this very file was loaded."""
        return self.status == "completed" and self.sha256 == sha256


def ingestion(connection: psycopg.Connection, batch_id: str) -> Ingestion | None:
    """Return what is known about a batch, if it was ever tried."""
    with connection.cursor(row_factory=class_row(Ingestion)) as cursor:
        return cursor.execute(query("ingestion/ingestion"), {"batch_id": batch_id}).fetchone()


def loaded_batch(connection: psycopg.Connection, week: datetime.date) -> Ingestion:
    """Return what is known about a week's ratings, merged or not.

    Of two batches, the feed's and the live one, the ids and digests are parted by a blank.

    Raises:
        IngestionError: none is loaded.
    """
    with connection.cursor(row_factory=class_row(Ingestion)) as cursor:
        batch = cursor.execute(query("ingestion/loaded_week"), {"week": week}).fetchone()
    if batch is None:
        raise IngestionError(f"week {week} has no loaded batch: one was expected")
    return batch


def loads_through(connection: psycopg.Connection, week: datetime.date) -> dict[str, str]:
    """Return the sha256 of the file of every load up to a week, by batch id."""
    found = connection.execute(
        "SELECT batch_id, sha256 FROM ingestion_metadata WHERE status = 'completed' AND week <= %s",
        [week],
    )
    return dict(found.fetchall())


def begin(
    connection: psycopg.Connection,
    batch_id: str,
    week: datetime.date,
    sha256: str,
    injected: str | None = None,
) -> None:
    """Write the row of a load that is in progress; forget the counts of an earlier one."""
    delete_counts(connection, batch_id)
    connection.execute(
        query("ingestion/ingestion_begin"),
        {"batch_id": batch_id, "week": week, "sha256": sha256, "injected": injected},
    )


def complete(connection: psycopg.Connection, batch_id: str, rows: int) -> None:
    """Mark a load as completed with this many rows."""
    connection.execute(
        "UPDATE ingestion_metadata SET status = 'completed', record_count = %s WHERE batch_id = %s",
        [rows, batch_id],
    )
