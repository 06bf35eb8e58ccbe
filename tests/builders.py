"""What tests are made of: weeks, ratings frames, batches, promotions."""

import datetime
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from cinematch_dagster.warehouse.ingestion.batches import Batch
from cinematch_dagster.warehouse.registry.promotions import Promotion

FIRST_WEEK = datetime.date(2024, 1, 1)
"""The Monday of `batch_w1`, as in the profile of the sample."""


def week(number: int) -> datetime.date:
    """The Monday of a week; 0 is the baseline's."""
    return FIRST_WEEK + datetime.timedelta(weeks=number - 1)


def frame(rows: Iterable[tuple[int, int, float, int]]) -> pd.DataFrame:
    data = pd.DataFrame(list(rows), columns=["userId", "movieId", "rating", "timestamp"])
    return data.astype(
        {"userId": "int32", "movieId": "int32", "rating": "float32", "timestamp": "int64"}
    ).sort_values(["timestamp", "userId", "movieId"], ignore_index=True)


def stars(*ratings: float, user: int = 1, start: int = 0) -> pd.DataFrame:
    """One user's ratings of the movies 1, 2, …, a second apart."""
    return frame((user, i + 1, rating, start + i) for i, rating in enumerate(ratings))


def many(rows: int, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "userId": (np.arange(rows) // 100).astype(np.int32),
            "movieId": (np.arange(rows) % 100).astype(np.int32),
            "rating": (random.integers(1, 11, rows) / 2).astype(np.float32),
            "timestamp": np.arange(rows, dtype=np.int64) + seed,
        }
    )


def batch(number: int, ratings: pd.DataFrame, sha256: str = "a", **changes: Any) -> Batch:
    values: dict[str, Any] = {"injected": None, "held_out_share": 0.2} | changes
    return Batch(f"batch_w{number}", week(number), ratings, sha256, **values)


def promotion(version: str, number: int, promoted: bool = True, **changes: Any) -> Promotion:
    values: dict[str, Any] = {
        "version": version,
        "from_version": None,
        "week": week(number),
        "promoted": promoted,
        "reason": "better",
        "mlflow_run_id": f"mlflow-{version}",
        "dagster_run_id": f"dagster-{version}",
        "buffer_policy": "merge" if promoted else None,
        "scores": {"rmse": 0.9},
    }
    return Promotion(**values | changes)
