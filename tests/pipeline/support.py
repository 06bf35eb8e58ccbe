"""Weeks, rows and small models, for the tests of the pipeline."""

import contextlib
import warnings
from collections.abc import Callable, Iterator

import pandas as pd

from cinematch_dagster.movielens import Prepared
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import Settings
from cinematch_dagster.warehouse.ingestion.baseline import load_baseline, load_movies
from cinematch_dagster.warehouse.registry.promotions import Promotion
from tests.builders import FIRST_WEEK as FIRST_WEEK
from tests.builders import week as week
from tests.sample import sample_movies

with warnings.catch_warnings(action="ignore"):  # MLflow's own, at import
    import mlflow.pyfunc
    from mlflow import MlflowClient

    from cinematch_dagster.pipeline.registry.versions import MODEL_NAME, PRODUCTION
    from cinematch_dagster.pipeline.training.data import TrainingData, read_training_data
    from cinematch_dagster.pipeline.training.train import TrainingResult, train

SMALL_MODELS = {
    "CINEMATCH_TRAINING__RATING__FACTORS": "10",
    "CINEMATCH_TRAINING__RATING__EPOCHS": "20",
    "CINEMATCH_TRAINING__RATING__LEARNING_RATE": "0.005",
    "CINEMATCH_TRAINING__RANKING__FACTORS": "16",
    "CINEMATCH_TRAINING__RANKING__ITERATIONS": "5",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
Train = Callable[[int], TrainingResult]
Register = Callable[[int], Promotion]
Arrive = Callable[[int], None]
Cheat = Callable[[int, Callable[[TrainingData], list[pd.DataFrame]]], None]


def rows(dsn: str, query: str) -> list[tuple[object, ...]]:
    with connect(dsn) as connection:
        return connection.execute(query.encode()).fetchall()


def load_sample(dsn: str, sample: Prepared) -> None:
    """The sample's baseline and movies, into an empty warehouse."""
    with connect(dsn) as connection:
        load_baseline(connection, sample.baseline, "baseline", week(0))
        load_movies(connection, sample_movies())


@contextlib.contextmanager
def training(dsn: str, settings: Settings) -> Iterator[Train]:
    """Train a week's model, in an MLflow run of its own, on what the warehouse holds."""
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(settings.tracking_uri)
    mlflow.set_experiment("cinematch")

    def run(number: int) -> TrainingResult:
        mlflow.start_run()
        return train(read_training_data(dsn, week(number)), settings.training, mlflow, dsn)

    yield run
    mlflow.set_tracking_uri(before)


class Forged(TrainingData):
    """Training data that says it is what the warehouse has for the week."""

    @property
    def sha256(self) -> str:
        return read_training_data(self.dsn, self.week).sha256

    dsn: str


def broken_rules(promotion: Promotion) -> dict[str, float]:
    """What each rule of the gate that was broken measured."""
    return {r["name"]: r["value"] for r in promotion.scores["rules"] if not r["passed"]}


def production(client: MlflowClient) -> str:
    """The version that is in production in MLflow."""
    return str(client.get_model_version_by_alias(MODEL_NAME, PRODUCTION).version)
