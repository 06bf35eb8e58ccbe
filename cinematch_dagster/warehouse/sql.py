"""Statements that live in files: `schema.sql` and `queries/<name>.sql`."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import psycopg


@cache
def query(name: str) -> bytes:
    """Return the statement in `queries/<name>.sql`."""
    return files(__package__).joinpath("queries", f"{name}.sql").read_bytes()


def schema() -> bytes:
    """Return the statements that make the tables where they are missing."""
    return files(__package__).joinpath("schema.sql").read_bytes()


def scalar(
    connection: psycopg.Connection,
    statement: bytes,
    parameters: Sequence[Any] | Mapping[str, Any] | None = None,
) -> Any:
    """Return the value of a query that gives exactly one row of one column."""
    ((value,),) = connection.execute(statement, parameters).fetchall()
    return value
