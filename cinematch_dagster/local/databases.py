"""Which Postgres is used: the one the settings name, else the embedded one."""

import hashlib
import os

from cinematch_dagster.postgres import dsn, embedded
from cinematch_dagster.postgres.connection import connect, ensure_database
from cinematch_dagster.postgres.os_user import EmbeddedPostgresError
from cinematch_dagster.settings import STARTED_WITH, Settings, SettingsError
from cinematch_dagster.warehouse.schema import migrate

NO_TABLES = "the warehouse has no tables yet: start with `make up`"


def warehouse_dsn(settings: Settings) -> str:
    """Return the DSN of the database `cinematch`, or of the one that the settings name.

    Without a DSN in the settings the embedded server is started, unless it runs already.

    Raises:
        SettingsError: this process belongs to a platform that was started with another warehouse.
    """
    if settings.database_url is not None:
        found = dsn.normalise(settings.database_url.get_secret_value())
    else:
        found = ensure_database(embedded.start(settings.state_dir / "postgres"), "cinematch")
    if os.environ.get(STARTED_WITH, fingerprint(found)) != fingerprint(found):
        raise SettingsError(
            "database_url: not the database with which this platform was started (expected the "
            "same one in each of its processes: does a `.env` where one was started name another?)"
        )
    return found


def fingerprint(address: str) -> str:
    """Return the sha256 (hex) of a database's address, which tells addresses apart."""
    return hashlib.sha256(address.encode()).hexdigest()


def running_warehouse(settings: Settings) -> str:
    """Return the DSN of the warehouse, for those who only look: nothing is started for them.

    Raises:
        EmbeddedPostgresError: the embedded server is not running.
    """
    if settings.database_url is None and not embedded.running(settings.state_dir / "postgres"):
        raise EmbeddedPostgresError("the embedded Postgres is not running: start with `make up`")
    return warehouse_dsn(settings)


def neighbour_url(warehouse: str, name: str) -> str:
    """Create a program's own database beside the warehouse; return its SQLAlchemy address."""
    return dsn.sqlalchemy_url(ensure_database(warehouse, dsn.neighbour(warehouse, name)))


def prepare_warehouse(settings: Settings) -> str:
    """Create the warehouse's tables where they are missing; return its DSN."""
    warehouse = warehouse_dsn(settings)
    with connect(warehouse) as connection:
        migrate(connection)
    return warehouse
