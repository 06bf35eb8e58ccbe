"""Statements that live in files: `schema.sql`, `migrations/`, and each room's `queries/`."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import psycopg
from psycopg.sql import SQL


@cache
def query(name: str) -> bytes:
    """Return the statement `<room>/<name>`: the file `<room>/queries/<name>.sql`."""
    room, _, statement = name.partition("/")
    return files(__package__).joinpath(room, "queries", f"{statement}.sql").read_bytes()


def template(name: str) -> SQL:
    """Return a statement as `query` does, of which identifiers are {left open}."""
    return SQL(query(name).decode())


def reference_queries() -> dict[str, bytes]:
    """Return the statements in `reference/`, which run in psql as they are."""
    folder = files(__package__).joinpath("reference")
    return {
        file.name.removesuffix(".sql"): file.read_bytes()
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
    }


@cache
def migrations() -> tuple[tuple[int, bytes], ...]:
    """Return each version of the schema with its statements, the oldest first.

    `schema.sql` is version 1, `migrations/<version>_<what>.sql` brings the version before it to
    its own. All of them can be run again.
    """
    folder = files(__package__)
    later = {
        int(file.name.partition("_")[0]): file.read_bytes()
        for file in folder.joinpath("migrations").iterdir()
    }
    return (1, folder.joinpath("schema.sql").read_bytes()), *sorted(later.items())


def schema_version() -> bytes:
    """Return the statement that makes the table of the schema's version."""
    return files(__package__).joinpath("schema_version.sql").read_bytes()


def scalar(
    connection: psycopg.Connection,
    statement: bytes,
    parameters: Sequence[Any] | Mapping[str, Any] | None = None,
) -> Any:
    """Return the value of a query that gives exactly one row of one column."""
    ((value,),) = connection.execute(statement, parameters).fetchall()
    return value
