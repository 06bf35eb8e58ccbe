"""Connections to a Postgres server, and making databases on it."""

import contextlib

import psycopg
from psycopg import sql
from tenacity import retry, retry_if_exception, stop_after_delay, wait_random_exponential

from cinematch_dagster.postgres.dsn import with_database

# libpq reports a refused connection as text only, without an SQLSTATE.
_FINAL = (
    "does not exist",
    "authentication failed",
    "no pg_hba.conf entry",
    "no password supplied",
    "does not support SSL",
)


def _is_transient(error: BaseException) -> bool:
    text = str(error)
    return isinstance(error, psycopg.OperationalError) and not any(f in text for f in _FINAL)


@retry(
    retry=retry_if_exception(_is_transient),
    wait=wait_random_exponential(multiplier=0.1, max=2.0),
    stop=stop_after_delay(15.0),
    reraise=True,
)
def connect(dsn: str, *, autocommit: bool = False) -> psycopg.Connection:
    """Open a connection; a server that is waking up or restarting is tried again for 15 s.

    Used as a context manager it commits at the end of the block, rolls back on an exception and
    closes.

    Raises:
        psycopg.OperationalError: the last one, or at once when another try can't help
            (unknown database or role, wrong password, no encryption).
    """
    return psycopg.connect(dsn, autocommit=autocommit, connect_timeout=10)


def one_for_several(
    dsn: str, connection: psycopg.Connection | None
) -> contextlib.AbstractContextManager[psycopg.Connection]:
    """Give a connection that is open already, and stays so, or one in autocommit mode for now."""
    return contextlib.nullcontext(connection) if connection else connect(dsn, autocommit=True)


def ensure_database(dsn: str, name: str) -> str:
    """Create the database `name` on the server behind `dsn` if it is missing; return its DSN."""
    create = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    with connect(dsn, autocommit=True) as connection:
        known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        if known.rowcount == 0:
            # Another process may be a moment faster.
            with contextlib.suppress(
                psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation
            ):
                connection.execute(create)
    return with_database(dsn, name)
