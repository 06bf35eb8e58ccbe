import dataclasses
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from cinematch_dagster.batches import batch_id
from cinematch_dagster.movielens import Prepared
from cinematch_dagster.settings import Settings, load_settings
from cinematch_dagster.warehouse.ingestion.batches import Batch, load_batch
from tests.sample import prepared_sample

with warnings.catch_warnings(action="ignore"):  # MLflow's own, at import
    import mlflow.pyfunc
    from mlflow import MlflowClient

    from cinematch_dagster.pipeline.registry.registration import register
    from cinematch_dagster.pipeline.training.data import TrainingData, read_training_data
    from cinematch_dagster.pipeline.training.train import train
    from tests.pipeline.support import (
        FIRST_WEEK,
        SMALL_MODELS,
        Arrive,
        Cheat,
        Forged,
        Register,
        Train,
        load_sample,
        training,
        week,
    )


@pytest.fixture(scope="session")
def sample() -> Prepared:
    return prepared_sample()


@pytest.fixture
def settings(
    platform_settings: Path, mlflow_server: str, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """The sample profile with small models, on a fresh warehouse and a real MLflow server."""
    assert platform_settings.is_dir()
    for name, value in SMALL_MODELS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CINEMATCH_MLFLOW_TRACKING_URI", mlflow_server)
    load_settings.cache_clear()
    return load_settings()


@pytest.fixture
def warehouse(settings: Settings, warehouse_dsn: str, sample: Prepared) -> str:
    """The DSN of a warehouse that holds the sample's baseline and movies."""
    assert settings.database_url is not None
    load_sample(warehouse_dsn, sample)
    return warehouse_dsn


@pytest.fixture
def arrive(warehouse: str, sample: Prepared) -> Arrive:
    """Load a week's batch."""

    def load_week(number: int) -> None:
        name = batch_id(week(number), FIRST_WEEK)
        batch = sample.batches[number - 1]
        load_batch(
            warehouse,
            Batch(name, week(number), batch.ratings, f"sha of {name}", batch.injected, 0.2),
        )

    return load_week


@pytest.fixture
def train_week(warehouse: str, settings: Settings) -> Iterator[Train]:
    """Train a week's model in an MLflow run of its own."""
    with training(warehouse, settings) as train:
        yield train


@pytest.fixture
def register_week(warehouse: str, settings: Settings) -> Register:
    """Decide on a week's model."""
    return lambda number: register(warehouse, week(number), settings, "a Dagster run")


@pytest.fixture
def client(settings: Settings) -> MlflowClient:
    return MlflowClient(settings.tracking_uri)


@pytest.fixture
def cheat(warehouse: str, settings: Settings, train_week: Train) -> Cheat:
    """Train a week's model on tested rows as well, and lie about it."""
    assert callable(train_week)

    def run(number: int, tested: Callable[[TrainingData], list[pd.DataFrame]]) -> None:
        data = read_training_data(warehouse, week(number))
        rows = pd.concat([data.ratings, *tested(data)])
        rows = rows.drop_duplicates(["userId", "movieId"], keep="last", ignore_index=True)
        forged = Forged(**vars(dataclasses.replace(data, ratings=rows)))
        object.__setattr__(forged, "dsn", warehouse)
        mlflow.start_run()
        train(forged, settings.training, mlflow, warehouse)

    return run
