"""What the database takes after a whole simulation: a baseline, its movies and merged weeks."""

from __future__ import annotations

import datetime
from typing import Any

from benchmarks.common.timing import MB
from benchmarks.data.ingest import HELD_OUT_SHARE, WEEK_ZERO, load_once
from benchmarks.data.ratings import History
from cinematch_dagster.movielens import movie_features
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.warehouse.ingestion.baseline import load_movies
from cinematch_dagster.warehouse.ingestion.batches import Batch, load_batch
from cinematch_dagster.warehouse.registry.promotions import (
    Promotion,
    merge_buffer,
    record_promotion,
)
from cinematch_dagster.warehouse.statements import scalar

TABLES = """
SELECT relname, pg_total_relation_size(oid)
FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
ORDER BY 2 DESC, 1
"""


def simulate(dsn: str, history: History) -> None:
    """Load a history into an empty warehouse; each week is merged before the next arrives."""
    load_once(dsn, history.baseline)
    with connect(dsn) as connection:
        load_movies(connection, movie_features(history.movies).frame)
    for number, ratings in enumerate(history.weeks, start=1):
        name, week = f"batch_w{number}", WEEK_ZERO + datetime.timedelta(weeks=number)
        load_batch(dsn, Batch(name, week, ratings, name, None, HELD_OUT_SHARE))
        with connect(dsn) as connection:
            record_promotion(connection, _promotion(str(number), week))
            merge_buffer(connection, week, str(number), "merge")


def measure_size(dsn: str) -> dict[str, Any]:
    """Measure a warehouse as it is: space that deleted rows left counts, too.

    Returns the rows of `ratings`, and MB of the database and of each table with its indexes.
    """
    with connect(dsn) as connection:
        return {
            "rows": int(scalar(connection, b"SELECT count(*) FROM ratings")),
            "database_mb": scalar(connection, b"SELECT pg_database_size(current_database())") / MB,
            "tables_mb": {str(name): size / MB for name, size in connection.execute(TABLES)},
        }


def _promotion(version: str, week: datetime.date) -> Promotion:
    return Promotion(
        version=version,
        from_version=None,
        week=week,
        promoted=True,
        reason="benchmark",
        mlflow_run_id=f"run-{version}",
        dagster_run_id=f"run-{version}",
        buffer_policy="merge",
        scores={},
    )
