"""The warehouse's tables, made and brought up to date, and the locks on them."""

import psycopg

from cinematch_dagster.warehouse.statements import migrations, scalar, schema_version

# Keys of the advisory locks; serving/live/postgres_store.py has one more.
RATINGS = 2_301_001
DECISIONS = 2_301_003


class SchemaError(RuntimeError):
    """The database's tables don't fit this program; the message names both versions."""


def migrate(connection: psycopg.Connection) -> int:
    """Bring the schema to the newest version, from any older one or from none; return that version.

    Rows stay. A schema that is up to date is not touched.

    Raises:
        SchemaError: the schema is newer than this program.
    """
    lock_ratings(connection)
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


def lock_ratings(connection: psycopg.Connection) -> None:
    """Wait until no other transaction changes tables or ratings; holds until this one ends."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [RATINGS])
