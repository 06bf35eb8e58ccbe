"""Connections to a Postgres server, and making databases on it."""

import contextlib
from collections.abc import Iterator

import psycopg
from psycopg import errors, sql
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


class DatabaseSetupError(RuntimeError):
    """A server refuses what is needed; the message says what, and the SQL that gives it."""


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
    closes. It works through a pooler that gives each transaction another session: nothing is
    prepared, and no lock or setting outlives its transaction.

    Raises:
        psycopg.OperationalError: the last one, or at once when another try can't help
            (unknown database or role, wrong password, no encryption).
    """
    return psycopg.connect(dsn, autocommit=autocommit, connect_timeout=10, prepare_threshold=None)


def one_for_several(
    dsn: str, connection: psycopg.Connection | None
) -> contextlib.AbstractContextManager[psycopg.Connection]:
    """Give a connection that is open already, and stays so, or one in autocommit mode for now."""
    return contextlib.nullcontext(connection) if connection else connect(dsn, autocommit=True)


def ensure_database(dsn: str, name: str) -> str:
    """Create the database `name` on the server behind `dsn` if it is missing; return its DSN.

    Raises:
        DatabaseSetupError: the role may not create it, or it holds another encoding than UTF8.
    """
    statement = sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0")
    create = statement.format(sql.Identifier(name)).as_string()
    with connect(dsn, autocommit=True) as connection:
        found = connection.execute(
            "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = %s", [name]
        ).fetchone()
        if found is None:
            # Another process may be a moment faster.
            known = (errors.DuplicateDatabase, errors.UniqueViolation)
            with contextlib.suppress(*known), _may_create(connection, name, create):
                connection.execute(create.encode())
        elif found[0] != "UTF8":
            raise DatabaseSetupError(
                f"the database {name!r} has the encoding {found[0]} (expected UTF8: rename it, "
                f"then {create};)"
            )
    return with_database(dsn, name)


@contextlib.contextmanager
def _may_create(connection: psycopg.Connection, name: str, create: str) -> Iterator[None]:
    """Say in one sentence what is missing where a database can't be created."""
    role = connection.info.user
    try:
        yield
    except errors.InsufficientPrivilege:
        raise DatabaseSetupError(
            f"there is no database {name!r}, and the role {role!r} may not create it (expected "
            f"it, or the right: {create}; ALTER DATABASE {name} OWNER TO {role}; as an owner of "
            "the server)"
        ) from None
    except errors.ReadOnlySqlTransaction:
        raise DatabaseSetupError(
            f"there is no database {name!r}, and the server only reads (expected a primary, or "
            "default_transaction_read_only off)"
        ) from None
    except errors.InvalidParameterValue as error:
        raise DatabaseSetupError(
            f"the database {name!r} can't be created with the encoding UTF8: "
            f"{error.diag.message_primary} (expected {create} LOCALE 'C'; by hand)"
        ) from None
