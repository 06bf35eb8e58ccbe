import datetime
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cinematch_dagster.movielens import Prepared, batch_id, load, movie_features, prepare
from cinematch_dagster.settings import ROOT, Settings, load_settings, read_settings
from cinematch_dagster.warehouse.baseline import load_baseline, load_movies
from cinematch_dagster.warehouse.batches import Batch, load_batch
from cinematch_dagster.warehouse.connection import connect

with warnings.catch_warnings(action="ignore"):  # MLflow's own, at import
    import mlflow.pyfunc

    from cinematch_dagster.pipeline.training import TrainingResult, read_training_data, train

FIRST_WEEK = datetime.date(2024, 1, 1)
Train = Callable[[int], TrainingResult]


def week(number: int) -> datetime.date:
    """The Monday of a week; 0 is the baseline's."""
    return FIRST_WEEK + datetime.timedelta(weeks=number - 1)


@pytest.fixture(scope="session")
def sample() -> Prepared:
    data = read_settings(profile="sample").data
    return prepare(
        load("sample", ROOT / "data").ratings,
        start=data.start,
        most_recent=data.most_recent,
        baseline_share=data.baseline_share,
        train_share=data.train_share,
        batches=data.batches,
        injected_shift=1.0,
    )


@pytest.fixture
def settings(
    platform_settings: Path, mlflow_server: str, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """The sample profile with small models, on a fresh warehouse and a real MLflow server."""
    assert platform_settings.is_dir()
    for name, value in {
        "CINEMATCH_MLFLOW_TRACKING_URI": mlflow_server,
        "CINEMATCH_TRAINING__SVD_FACTORS": "10",
        "CINEMATCH_TRAINING__SVD_EPOCHS": "20",
        "CINEMATCH_TRAINING__SVD_LEARNING_RATE": "0.005",
        "CINEMATCH_TRAINING__ALS_FACTORS": "16",
        "CINEMATCH_TRAINING__ALS_ITERATIONS": "5",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    }.items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    return load_settings()


@pytest.fixture
def warehouse(settings: Settings, warehouse_dsn: str, sample: Prepared) -> str:
    """The DSN of a warehouse that holds the sample's baseline and movies."""
    assert settings.database_url is not None
    with connect(warehouse_dsn) as connection:
        load_baseline(connection, sample.baseline, "baseline", week(0))
        load_movies(connection, movie_features(load("sample", ROOT / "data").movies).frame)
    return warehouse_dsn


@pytest.fixture
def arrive(warehouse: str, sample: Prepared) -> Callable[[int], None]:
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
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(settings.tracking_uri)
    mlflow.set_experiment("cinematch")

    def run(number: int) -> TrainingResult:
        mlflow.start_run()
        data = read_training_data(warehouse, week(number))
        return train(data, settings.training, mlflow, warehouse)

    yield run
    mlflow.set_tracking_uri(before)
