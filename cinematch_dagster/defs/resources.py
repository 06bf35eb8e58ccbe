"""What every station uses: the settings, and the warehouse in Postgres."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
import psycopg

from cinematch_dagster.local.databases import warehouse_dsn
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import Settings, load_settings


@dg.resource(description="The settings, as the process of a run or of a tick reads them.")
def settings_resource() -> Settings:
    """Read the settings of this process; they hold secrets and so are no configuration."""
    return load_settings()


class WarehouseResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Postgres. Nothing is held open: each use is one connection."""

    settings: dg.ResourceDependency[Settings]

    @property
    def dsn(self) -> str:
        """The warehouse's DSN; the embedded server is started when none is configured."""
        return warehouse_dsn(self.settings)

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection]:
        """Commit at the end of the block, roll back on an exception."""
        with connect(self.dsn) as connection:
            yield connection

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        """Connect for several transactions, one for each week; in autocommit mode."""
        with connect(self.dsn, autocommit=True) as connection:
            yield connection


RESOURCES: dict[str, Any] = {
    "settings": settings_resource,
    "warehouse": WarehouseResource(settings=settings_resource),
}
"""By the names under which assets, sensors, schedules, checks and ops ask for them."""


@dg.definitions
def resources() -> dg.Definitions:
    """Define them for every station."""
    return dg.Definitions(resources=RESOURCES)
