import datetime
import uuid
from collections.abc import Iterator
from dataclasses import asdict

import numpy as np
import pandas as pd
import psycopg
import pytest

from cinematch_dagster.drift import DriftPolicy, RetrainingCriteria
from cinematch_dagster.pipeline.drift.report import check_week
from cinematch_dagster.pipeline.retraining.decide import evaluate
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.postgres.dsn import with_database
from cinematch_dagster.recommenders.gate.rules import more_than
from cinematch_dagster.warehouse.ingestion.baseline import load_baseline, load_movies
from cinematch_dagster.warehouse.ingestion.batches import Batch, load_batch
from cinematch_dagster.warehouse.registry.production import record_rollback
from cinematch_dagster.warehouse.registry.promotions import (
    Promotion,
    merge_buffer,
    record_promotion,
)
from cinematch_dagster.warehouse.training.model_metrics import record_metrics
from tests.builders import week

MOVIES = pd.DataFrame(
    {
        "movieId": [1, 2],
        "title": ["Toy Story (1995)", "Jumanji (1995)"],
        "genres": ["Animation|Children|Comedy", "Adventure|Children|Fantasy"],
        "pca_features": [[0.0] * 10, [1.0] * 10],
    }
)


def ratings(number: int, lowest: float, n: int = 400) -> pd.DataFrame:
    """Users who rate once: a ratings frame of stars from `lowest` to 5."""
    users = np.arange(n)
    return pd.DataFrame(
        {
            "userId": (number * n + users).astype("int32"),
            "movieId": (users % 2 + 1).astype("int32"),
            "rating": (lowest + users % int(6 - lowest)).astype("float32"),
            "timestamp": (number * n + users).astype("int64"),
        }
    )


@pytest.fixture(scope="module")
def told_warehouse(postgres_server: str, warehouse_template: str) -> Iterator[psycopg.Connection]:
    """A connection to a warehouse with a story in it.

    A first model; two weeks, the second one drifted; a retraining, promoted, that merged both; and
    a third week in the buffer. Then a rollback.
    """
    name = f"test_{uuid.uuid4().hex}"
    with connect(postgres_server, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {warehouse_template}".encode())
        dsn = with_database(postgres_server, name)
        with connect(dsn) as connection:
            load_movies(connection, MOVIES)
            baseline = ratings(0, 1.0).assign(data_split=["train"] * 300 + ["test"] * 100)
            load_baseline(connection, baseline, "baseline", week(0))
            _promote(connection, version="1", number=0)
        _week(dsn, 1, lowest=1.0)
        _week(dsn, 2, lowest=4.0)
        with connect(dsn) as connection:
            _promote(connection, version="2", number=2)
        _load(dsn, 3, lowest=1.0)
        with connect(dsn) as connection:
            record_rollback(connection, "1", why="too many complaints", who="somebody")
        with connect(dsn, autocommit=True) as connection:
            yield connection
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _load(dsn: str, number: int, lowest: float) -> None:
    batch = Batch(f"batch_w{number}", week(number), ratings(number, lowest), "sha", None, 0.2)
    load_batch(dsn, batch)


def _week(dsn: str, number: int, lowest: float) -> None:
    _load(dsn, number, lowest)
    with connect(dsn) as connection:
        check_week(connection, week(number), DriftPolicy(count_threshold=100))
        evaluate(
            connection,
            weeks=[week(number)],
            run_key=f"{week(number)}:{number}",
            now=datetime.datetime.now(datetime.UTC),
            criteria=RetrainingCriteria(minimum_buffer=100),
            policy=DriftPolicy(count_threshold=100),
        )


def _promote(connection: psycopg.Connection, version: str, number: int) -> None:
    record_metrics(
        connection,
        mlflow_run_id=f"run-{version}",
        week=week(number),
        rmse=0.9,
        mae=0.7,
        precision_at_10=0.2,
        data_size=300,
    )
    promotion = Promotion(
        version=version,
        from_version=None,
        week=week(number),
        promoted=True,
        reason="Promoted: better.",
        mlflow_run_id=f"run-{version}",
        dagster_run_id=f"dagster-{version}",
        buffer_policy="merge",
        scores={"rules": [asdict(more_than("rmse_gain", 0.01, 0.0))]},
    )
    record_promotion(connection, promotion)
    merge_buffer(connection, week(number), version, "merge")
