"""What the assets use: the warehouse in Postgres and MLflow."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import dagster as dg
import psycopg

from cinematch_dagster.local.databases import warehouse_dsn
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import EXPERIMENT, load_settings


class WarehouseResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Postgres. Nothing is held open: each use is one connection."""

    @property
    def dsn(self) -> str:
        """The warehouse's DSN; the embedded server is started when none is configured."""
        return warehouse_dsn(load_settings())

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


@dg.resource(
    config_schema={"experiment_name": str, "mlflow_tracking_uri": str},
    description="The dagster-mlflow resource, imported only where a run uses it (6 s).",
)
def mlflow(context: dg.InitResourceContext) -> Iterator[Any]:
    """Yield dagster-mlflow's `MlFlow`, whose MLflow run is tagged with the Dagster run's id."""
    from dagster_mlflow.resources import mlflow_tracking

    yield from cast(Callable[..., Iterator[Any]], mlflow_tracking.resource_fn)(context)


@dg.definitions
def resources() -> dg.Definitions:
    """Define the resources by the names under which the assets ask for them."""
    logged_to = {
        "experiment_name": EXPERIMENT,
        "mlflow_tracking_uri": load_settings().tracking_uri,
    }
    return dg.Definitions(
        resources={"warehouse": WarehouseResource(), "mlflow": mlflow.configured(logged_to)}
    )
