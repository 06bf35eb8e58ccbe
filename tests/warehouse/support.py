"""Small ratings frames and child processes for the warehouse's tests."""

import datetime
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg
from psycopg.conninfo import conninfo_to_dict

from cinematch_dagster.warehouse.ingestion.batches import Batch
from cinematch_dagster.warehouse.registry.promotions import Promotion

WEEK_ZERO = datetime.date(2023, 12, 25)


def week(number: int) -> datetime.date:
    return WEEK_ZERO + datetime.timedelta(weeks=number)


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


def value(connection: psycopg.Connection, statement: str, *parameters: Any) -> Any:
    row = connection.execute(statement.encode(), parameters).fetchone()
    assert row is not None
    return row[0]


def host(dsn: str) -> Path:
    """The folder of the socket."""
    return Path(str(conninfo_to_dict(dsn)["host"]))


def child(code: str, *arguments: object, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        text=True,
        stdout=subprocess.PIPE,
        **options,
    )


def outputs(children: list[subprocess.Popen[str]]) -> list[str]:
    """Wait for child processes that must succeed; return what each wrote."""
    texts = [process.communicate(timeout=120)[0].strip() for process in children]
    assert [process.returncode for process in children] == [0] * len(children)
    return texts
