"""The warehouse's tables, made and brought up to date, and the locks on them."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from cinematch_dagster.postgres.connection import DatabaseSetupError
from cinematch_dagster.warehouse.statements import migrations, scalar, schema_version

# Keys of the advisory locks; serving/live/postgres_store.py has one more.
RATINGS = 2_301_001
DECISIONS = 2_301_003
REGISTRY = 2_301_004
MAINTENANCE = 2_301_005


class SchemaError(RuntimeError):
    """The database's tables don't fit this program; the message names both versions."""


def migrate(connection: psycopg.Connection) -> int:
    """Bring the schema to the newest version, from any older one or from none; return that version.

    Rows stay. A schema that is up to date is not touched.

    Raises:
        SchemaError: the schema is newer than this program.
        DatabaseSetupError: the database can't hold it: its encoding is not UTF8, it only reads, a
            right is missing, or it holds tables of something else.
    """
    _require_utf8(connection)
    lock_ratings(connection)
    with _may_change(connection):
        return _migrate(connection)


def _migrate(connection: psycopg.Connection) -> int:
    _require_own_tables(connection)
    connection.execute(schema_version())
    found = int(scalar(connection, b"SELECT coalesce(max(version), 0) FROM schema_version"))
    newest = migrations()[-1][0]
    if found > newest:
        raise SchemaError(
            f"the database has schema version {found}, this program knows {newest} (expected a "
            "program at least as new as the database)"
        )
    for version, statements in migrations():
        if version > found:
            connection.execute(statements)
            connection.execute("INSERT INTO schema_version (version) VALUES (%s)", [version])
    return newest


def _require_utf8(connection: psycopg.Connection) -> None:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        name = connection.info.dbname
        raise DatabaseSetupError(
            f"the database {name!r} has the encoding {encoding} (expected UTF8, as titles have all "
            f"letters: CREATE DATABASE {name}_utf8 ENCODING 'UTF8' TEMPLATE template0;)"
        )


def _require_own_tables(connection: psycopg.Connection) -> None:
    """Refuse a database whose table `ratings` was not made by us, before anything is made in it."""
    columns = {
        row[0]
        for row in connection.execute(
            "SELECT attname FROM pg_attribute"
            " WHERE attrelid = to_regclass('ratings') AND attnum > 0 AND NOT attisdropped"
        )
    }
    missing = sorted({"userId", "movieId", "rating", "timestamp", "data_split"} - columns)
    if columns and missing:
        raise DatabaseSetupError(
            f"the database {connection.info.dbname!r} holds a table ratings that is not "
            f"CineMatch's: it has no column {missing[0]} (expected a database of its own: CREATE "
            "DATABASE cinematch ENCODING 'UTF8' TEMPLATE template0;)"
        )


@contextmanager
def _may_change(connection: psycopg.Connection) -> Iterator[None]:
    """Say in one sentence which right is missing where tables can't be made."""
    name, role = connection.info.dbname, connection.info.user
    try:
        yield
    except errors.InsufficientPrivilege as error:
        raise DatabaseSetupError(
            f"the role {role!r} may not make tables in the database {name!r}: "
            f"{error.diag.message_primary} (expected GRANT USAGE, CREATE ON SCHEMA public TO "
            f"{role}; as its owner, and no tables there that are another role's)"
        ) from None
    except errors.ReadOnlySqlTransaction:
        raise DatabaseSetupError(
            f"the database {name!r} only reads (expected a primary, or ALTER DATABASE {name} SET "
            "default_transaction_read_only = off;)"
        ) from None
    except errors.InvalidSchemaName:
        raise DatabaseSetupError(
            f"no schema of the search_path exists in the database {name!r} (expected CREATE "
            "SCHEMA …; for the first one, or an address without search_path)"
        ) from None


def lock_ratings(connection: psycopg.Connection) -> None:
    """Wait until no other transaction changes tables or ratings; holds until this one ends."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [RATINGS])


def lock_registry(connection: psycopg.Connection) -> None:
    """Wait until no other transaction changes what is in production; holds until this one ends.

    It may be held across calls to MLflow: weeks load meanwhile. Whoever takes `lock_ratings` as
    well takes this one first.
    """
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [REGISTRY])
