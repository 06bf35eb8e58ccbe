"""Housekeeping: old alerts into the archive, dead rows away, and how large everything is."""

import datetime
from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.warehouse.schema import MAINTENANCE
from cinematch_dagster.warehouse.statements import query, scalar

#: How long an alert stays in `drift_alerts`.
ALERTS_KEPT = datetime.timedelta(days=30)


@dataclass(frozen=True)
class TableSize:
    """What a table takes on disk.

    Attributes:
        rows: as the last VACUUM or ANALYZE found them.
        bytes: of rows, indexes and all else that belongs to it.
        index_bytes: of its indexes alone.
    """

    name: str
    rows: int
    bytes: int
    index_bytes: int

    @property
    def bytes_per_row(self) -> float | None:
        """All of its bytes by row; None for a table without rows."""
        return self.bytes / self.rows if self.rows else None


@dataclass(frozen=True)
class Maintenance:
    """What was done, and what is there now.

    Attributes:
        archived: alerts that moved into the archive.
        total_bytes: of the whole database, with the system's own tables.
        tables: the largest first.
    """

    archived: int
    total_bytes: int
    tables: tuple[TableSize, ...]


def maintain(dsn: str, alerts_kept: datetime.timedelta = ALERTS_KEPT) -> Maintenance:
    """Archive old alerts, VACUUM ANALYZE the database and measure it."""
    with connect(dsn) as connection:
        archived = archive_alerts(connection, alerts_kept)
    with connect(dsn, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")
        return Maintenance(archived, database_size(connection), tuple(table_sizes(connection)))


def archive_alerts(connection: psycopg.Connection, older_than: datetime.timedelta) -> int:
    """Move alerts of a greater age into `drift_alerts_archive`; return how many.

    `drift_alerts` is append-only: its trigger lets a row go only when the archive has the same.
    `drift_alerts_history` shows both tables as one. Two that begin at once take turns.
    """
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [MAINTENANCE])
    archived = connection.execute(
        query("operations/alerts_archive"), {"older_than": older_than}
    ).rowcount
    connection.execute(query("operations/alerts_delete_archived"))
    return archived


def database_size(connection: psycopg.Connection) -> int:
    """Return the bytes of the whole database."""
    return int(scalar(connection, b"SELECT pg_database_size(current_database())"))


def table_sizes(connection: psycopg.Connection) -> list[TableSize]:
    """Return every table's size, the largest first."""
    with connection.cursor(row_factory=class_row(TableSize)) as cursor:
        return cursor.execute(query("operations/table_sizes")).fetchall()
