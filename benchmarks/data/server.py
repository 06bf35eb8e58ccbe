"""A Postgres server for the time of a benchmark, with as many empty warehouses as it needs."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from cinematch_dagster.local.watchdog import end_with_us
from cinematch_dagster.postgres import embedded
from cinematch_dagster.postgres.connection import connect, ensure_database
from cinematch_dagster.postgres.dsn import with_database
from cinematch_dagster.warehouse.schema import migrate
from cinematch_dagster.warehouse.statements import scalar


@contextmanager
def scratch() -> Iterator[tuple[Path, str]]:
    """Give a folder and the DSN of a server in it, started as always; both go at the end."""
    end_with_us()
    with tempfile.TemporaryDirectory(prefix="cinematch-bench-") as name:
        folder = Path(name)
        server = folder / "postgres"
        try:
            yield folder, embedded.start(server)
        finally:
            embedded.destroy(server)


@contextmanager
def warehouse(server: str) -> Iterator[str]:
    """Give the DSN of an empty, migrated warehouse."""
    name = f"bench_{uuid.uuid4().hex}"
    dsn = ensure_database(server, name)
    try:
        with connect(dsn) as connection:
            migrate(connection)
        yield dsn
    finally:
        with connect(with_database(server, "postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def server_version(server: str) -> str:
    """Return such as 'PostgreSQL 18.4'."""
    with connect(server) as connection:
        return f"PostgreSQL {scalar(connection, b'SHOW server_version')}"


def raw_table(connection: psycopg.Connection) -> None:
    """Make an empty table `raw` of the four columns: unlogged, no index, no constraint."""
    connection.execute("DROP TABLE IF EXISTS raw")
    connection.execute(
        'CREATE UNLOGGED TABLE raw ("userId" int, "movieId" int, rating real, "timestamp" bigint)'
    )
    connection.commit()
