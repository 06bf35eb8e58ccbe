"""Reading what a model is trained on: the platform's way and `pandas.read_sql`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd
import sqlalchemy as sa

from benchmarks.data.ingest import PLATFORM, WEEK_ZERO, Timed
from benchmarks.timing import in_child, medians, memory_now, memory_peak, seconds
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.postgres.dsn import sqlalchemy_url
from cinematch_dagster.warehouse.training.training_data import training_ratings

READ_SQL: Final = "pandas.read_sql"
READ_SQL_ROWS: Final = 1_000_000  # it is slow; its rate does not grow with the number of rows
SELECT: Final = (
    'SELECT "userId", "movieId", rating, "timestamp" FROM ratings'
    f" WHERE data_split = 'train' LIMIT {READ_SQL_ROWS}"
)


@dataclass(frozen=True)
class Memory:
    """Bytes of memory of a process that did nothing else; `before` are in use when it begins."""

    rows: int
    before: int
    result: int
    peak: int

    @property
    def beyond(self) -> int:
        """What the work took for itself, beyond its result."""
        return self.peak - self.before - self.result


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
    return {name: Timed(rows[name], found[name]) for name in cases}


def read(dsn: str) -> pd.DataFrame:
    """Read as the training does: ordered by time, one rating a pair."""
    with connect(dsn) as connection:
        return training_ratings(connection, WEEK_ZERO)


def read_memory(dsn: str) -> Memory:
    """Read in a process of its own."""
    return in_child(_read_memory, dsn)


def _read_memory(dsn: str) -> Memory:
    before = memory_now()
    ratings = read(dsn)
    result = int(ratings.memory_usage(index=False).sum())
    return Memory(len(ratings), before, result, memory_peak())
