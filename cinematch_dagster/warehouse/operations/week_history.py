"""What happened to each week: its batch, and what was decided on it."""

import datetime
from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

from cinematch_dagster.warehouse.statements import query


@dataclass(frozen=True)
class LoadedBatch:
    """What was loaded of a week, merged or not.

    Attributes:
        batch_id: of its batch; of two, the feed's and the live one, with a comma between.
        injected: label of the drift injected into it, if any.
    """

    week: datetime.date
    batch_id: str
    injected: str | None


def loaded_batches(connection: psycopg.Connection) -> list[LoadedBatch]:
    """Return every loaded week in order."""
    with connection.cursor(row_factory=class_row(LoadedBatch)) as cursor:
        return cursor.execute(
            "SELECT week, string_agg(batch_id, ', ' ORDER BY batch_id) AS batch_id,"
            " max(injected) AS injected FROM ingestion_metadata"
            " WHERE status = 'completed' AND batch_id <> 'baseline' GROUP BY week ORDER BY week"
        ).fetchall()


def decided_on(
    connection: psycopg.Connection, week: datetime.date
) -> list[tuple[datetime.datetime, str, str]]:
    """Return when, what and why was decided on a week's reports or its model, oldest first."""
    return connection.execute(query("operations/decided_on"), {"week": week}).fetchall()


def shown_weeks(connection: psycopg.Connection) -> dict[datetime.date, str]:
    """Return a fingerprint of what the page of each week shows, of the weeks with a verdict."""
    return dict(connection.execute(query("operations/shown_weeks")).fetchall())
