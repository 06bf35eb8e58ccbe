import datetime
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from cinematch_dagster.batches import batch_id, write_batch
from cinematch_dagster.defs.drift.assets import drift_report, weekly_performance
from cinematch_dagster.defs.ingestion.assets import ratings_buffer
from cinematch_dagster.defs.resources import RESOURCES
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.warehouse.ingestion.baseline import load_baseline
from tests.builders import FIRST_WEEK

T0 = 1_100_000_000
Drop = Callable[..., Path]


def stars(counts: list[int], start: int) -> pd.DataFrame:
    """Ratings frame with the given numbers of 0.5, 1.0, … 5.0 stars; every user rates once."""
    rating = np.repeat(np.arange(1, 11) / 2, counts).astype("float32")
    order = np.random.default_rng(start).permutation(len(rating))
    n = np.arange(len(rating))
    return pd.DataFrame(
        {
            "userId": (start * 10_000 + n).astype("int32"),
            "movieId": np.ones(len(n), "int32"),
            "rating": rating[order],
            "timestamp": T0 + start * 100_000 + n.astype("int64"),
        }
    )


@pytest.fixture
def loaded_baseline(platform_settings: Path, warehouse_dsn: str) -> Path:
    """4,000 ratings from 1 to 5 stars as the train split; returns the landing folder."""
    with connect(warehouse_dsn) as connection:
        frame = stars([0, 800, 0, 800, 0, 800, 0, 800, 0, 800], start=0).assign(data_split="train")
        load_baseline(connection, frame, "baseline", FIRST_WEEK - datetime.timedelta(weeks=1))
    return platform_settings / "landing"


@pytest.fixture
def drop(loaded_baseline: Path) -> Drop:
    """Drop a week's batch: 2,000 ratings like the baseline, or shifted to 4 and 5 stars."""

    def drop_week(number: int, drifted: bool = False, low: bool = False) -> Path:
        counts = [0, 400, 0, 400, 0, 400, 0, 400, 0, 400]
        if drifted:
            counts = [0, 0, 0, 0, 0, 0, 0, 1000, 0, 1000]
        if low:
            counts = [0, 1000, 0, 1000, 0, 0, 0, 0, 0, 0]
        week = FIRST_WEEK + datetime.timedelta(weeks=number - 1)
        return write_batch(
            loaded_baseline, batch_id(week, FIRST_WEEK), stars(counts, start=number), None
        )

    return drop_week


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path / "dagster")) as instance:
        yield instance


@pytest.fixture
def run_weeks(instance: dg.DagsterInstance) -> Callable[..., dg.ExecuteInProcessResult]:
    """Materialize the buffer, performance and drift report of a range of weeks in one run."""

    def run(first: int, last: int, raise_on_error: bool = True) -> dg.ExecuteInProcessResult:
        keys = [(FIRST_WEEK + datetime.timedelta(weeks=n - 1)).isoformat() for n in (first, last)]
        return dg.materialize(
            [ratings_buffer, weekly_performance, drift_report],
            instance=instance,
            resources=RESOURCES,
            tags={
                "dagster/asset_partition_range_start": keys[0],
                "dagster/asset_partition_range_end": keys[1],
            },
            raise_on_error=raise_on_error,
        )

    return run
