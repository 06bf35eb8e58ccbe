"""Reading what a model is trained on: the platform's way and `pandas.read_sql`."""

from __future__ import annotations

from typing import Final

import pandas as pd
import sqlalchemy as sa

from benchmarks.common.timing import (
    GB,
    Timed,
    in_child,
    medians,
    memory_now,
    memory_peak,
    seconds,
    timed,
)
from benchmarks.data.ingest import PLATFORM, WEEK_ZERO
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.postgres.dsn import sqlalchemy_url
from cinematch_dagster.warehouse.training.training_data import training_ratings

READ_SQL: Final = "pandas.read_sql"
READ_SQL_ROWS: Final = 1_000_000  # it is slow; its rate does not grow with the number of rows
SELECT: Final = (
    'SELECT "userId", "movieId", rating, "timestamp" FROM ratings'
    f" WHERE data_split = 'train' LIMIT {READ_SQL_ROWS}"
)


def time_read(dsn: str, rounds: int) -> dict[str, Timed]:
    """Read the training ratings, and as many of the same rows as `READ_SQL_ROWS` by pandas."""
    engine = sa.create_engine(sqlalchemy_url(dsn))
    rows = {PLATFORM: len(read(dsn)), READ_SQL: len(pd.read_sql(SELECT, engine))}
    cases = {
        PLATFORM: lambda: seconds(lambda: read(dsn)),
        READ_SQL: lambda: seconds(lambda: pd.read_sql(SELECT, engine)),
    }
    found = medians(cases, rounds)
    engine.dispose()
    return {name: timed(rows[name], found[name]) for name in cases}


def read(dsn: str) -> pd.DataFrame:
    """Read as the training does: ordered by time, one rating a pair."""
    with connect(dsn) as connection:
        return training_ratings(connection, WEEK_ZERO)


def read_memory(dsn: str) -> dict[str, float]:
    """Read in a process of its own: how many GB that took beyond its result."""
    return in_child(_read_memory, dsn)


def _read_memory(dsn: str) -> dict[str, float]:
    before = memory_now()
    result = int(read(dsn).memory_usage(index=False).sum())
    return {"result_gb": result / GB, "beyond_gb": (memory_peak() - before - result) / GB}
