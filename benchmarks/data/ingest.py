"""Loading ratings: the platform's way, the limit that COPY sets, and `DataFrame.to_sql`."""

from __future__ import annotations

import datetime
import io
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import sqlalchemy as sa

from benchmarks.common.timing import Timed, medians, seconds, timed
from benchmarks.data.server import raw_table, warehouse
from cinematch_dagster.batches import read_batch, write_batch
from cinematch_dagster.pipeline.preparation.files import file_sha256
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.postgres.copy import copy_in, rating_arrays
from cinematch_dagster.postgres.dsn import sqlalchemy_url
from cinematch_dagster.warehouse.ingestion.baseline import load_baseline
from cinematch_dagster.warehouse.ingestion.batches import Batch, load_batch

PLATFORM: Final = "the platform"
COPY: Final = "COPY into the table alone"
LIMIT: Final = "raw COPY, the limit"
TO_SQL: Final = "pandas.to_sql"
TO_SQL_ROWS: Final = 200_000  # it is slow; its rate does not depend on the number of rows
WEEK_ZERO: Final = datetime.date(2023, 12, 25)
HELD_OUT_SHARE: Final = 0.2
CHUNK: Final = 1 << 20  # bytes of the buffer given to COPY at once


def time_baseline(server: str, baseline: pd.DataFrame, rounds: int) -> dict[str, Timed]:
    """Load a baseline: with its counts and metadata, its rows alone, and the two others."""
    some = baseline.head(TO_SQL_ROWS)
    columns, buffer = rating_arrays(baseline), binary(server, baseline)
    cases = {
        PLATFORM: lambda: _load_baseline(server, baseline),
        COPY: lambda: _copy(server, columns),
        LIMIT: lambda: _raw_copy(server, buffer),
        TO_SQL: lambda: _to_sql(server, "ratings", lambda: some),
    }
    found = medians(cases, rounds)
    return {n: timed(len(some if n == TO_SQL else baseline), found[n]) for n in cases}


def time_week(server: str, folder: Path, week: pd.DataFrame, rounds: int) -> dict[str, Timed]:
    """Load a weekly batch from its file: reading and checking it are part of it."""
    path = write_batch(folder, "batch_w1", week, None)
    buffer = binary(server, week)
    cases: Mapping[str, Callable[[], float]] = {
        PLATFORM: lambda: _load_week(server, path),
        LIMIT: lambda: _raw_copy(server, buffer),
        TO_SQL: lambda: _to_sql(
            server, "ratings_buffer", lambda: pd.read_parquet(path).assign(held_out=False)
        ),
    }
    found = medians(cases, rounds)
    return {name: timed(len(week), found[name]) for name in cases}


def binary(server: str, ratings: pd.DataFrame) -> memoryview:
    """Return ratings as the buffer that a binary COPY takes, made by Postgres itself."""
    buffer = io.BytesIO()
    with connect(server) as connection:
        raw_table(connection)
        copy_in(connection, "raw", rating_arrays(ratings))
    driver = sa.create_engine(sqlalchemy_url(server)).raw_connection().driver_connection
    assert driver is not None
    driver.cursor().copy_expert("COPY raw TO STDOUT (FORMAT binary)", buffer)
    driver.close()
    return buffer.getbuffer()


def load_once(dsn: str, baseline: pd.DataFrame) -> None:
    """Load a baseline as the asset `ratings` does."""
    with connect(dsn) as connection:
        load_baseline(connection, baseline, uuid.uuid4().hex, WEEK_ZERO)


def _load_baseline(server: str, baseline: pd.DataFrame) -> float:
    with warehouse(server) as dsn:
        return seconds(lambda: load_once(dsn, baseline))


def _load_week(server: str, path: Path) -> float:
    """Load a file as the asset `ratings_buffer` does."""

    def load(dsn: str) -> None:
        ratings, injected = read_batch(path)
        week = WEEK_ZERO + datetime.timedelta(weeks=1)
        sha256 = file_sha256(path)
        load_batch(dsn, Batch(path.stem, week, ratings, sha256, injected, HELD_OUT_SHARE))

    with warehouse(server) as dsn:
        return seconds(lambda: load(dsn))


def _copy(server: str, columns: Mapping[str, np.ndarray]) -> float:
    def load(dsn: str) -> None:
        with connect(dsn) as connection:
            copy_in(connection, "ratings", columns, {"data_split": "train"})

    with warehouse(server) as dsn:
        return seconds(lambda: load(dsn))


def _raw_copy(server: str, buffer: memoryview) -> float:
    with connect(server) as connection:
        raw_table(connection)

        def load() -> None:
            with connection.cursor().copy("COPY raw FROM STDIN (FORMAT binary)") as copy:
                for start in range(0, len(buffer), CHUNK):
                    copy.write(buffer[start : start + CHUNK])
            connection.commit()

        return seconds(load)


def _to_sql(server: str, table: str, frame: Callable[[], pd.DataFrame]) -> float:
    with warehouse(server) as dsn:
        engine = sa.create_engine(sqlalchemy_url(dsn))
        taken = seconds(lambda: frame().to_sql(table, engine, if_exists="append", index=False))
        engine.dispose()
        return taken
