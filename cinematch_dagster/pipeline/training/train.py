"""Station 3: train a challenger, score it on rows it has never seen, log it to MLflow."""

import datetime
import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg
from matplotlib.figure import Figure

import serving.model.pyfunc
from cinematch_dagster.pipeline.training import mlflow_run
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.recommenders import (
    Check,
    Hyperparameters,
    Scores,
    Trained,
    check_model,
    export,
    fit,
    plots,
)
from cinematch_dagster.recommenders.errors import TrainingError
from cinematch_dagster.recommenders.evaluation import (
    FoldScores,
    evaluate_fold,
    evaluate_static,
    unrated,
)
from cinematch_dagster.recommenders.features import genre_membership
from cinematch_dagster.recommenders.ranking.popularity import most_ratings
from cinematch_dagster.recommenders.tuning.learning_curve import learning_curve
from cinematch_dagster.settings import TrainingSettings
from cinematch_dagster.warehouse.training.model_metrics import record_metrics
from cinematch_dagster.warehouse.training.training_data import (
    catalogue,
    held_out,
    newest_week,
    standing_test,
    training_batches,
    training_ratings,
)
from serving.model.heads import FactorRating
from serving.model.recommender import Model

ARTIFACT = "model"
FAILED_CHECKS = "failed_checks"
"""Tag of an MLflow run: the names of the checks that its model did not pass."""
REQUIREMENTS = ("mlflow", "numpy", "pandas", "pyarrow")


@dataclass(frozen=True)
class TrainingData:
    """What a model of a week is trained and scored on.

    Attributes:
        week: the Monday up to which batches count.
        ratings: train and the buffer without its held-out rows; latest per user and movie.
        standing: the test rows in `ratings`; never trained on, as are no other ratings of their
            pairs of user and movie: a rating that is repeated tests nothing.
        held_out: the held-out rows of the buffer, those since the last promotion; in the same way.
        movies: the whole catalogue.
        batches: ids of the batches in `ratings`, the baseline first.
    """

    week: datetime.date
    ratings: pd.DataFrame
    standing: pd.DataFrame
    held_out: pd.DataFrame
    movies: pd.DataFrame
    batches: list[str]

    @property
    def sha256(self) -> str:
        """The identity of `ratings`."""
        return ratings_sha256(self.ratings)

    @property
    def identity(self) -> dict[str, Any]:
        """What tells this data from another training's; the cut is the latest rating."""
        latest = int(self.ratings["timestamp"].max())
        return {
            "week": self.week.isoformat(),
            "data_sha256": self.sha256,
            "data_rows": len(self.ratings),
            "data_users": self.ratings["userId"].nunique(),
            "data_movies": self.ratings["movieId"].nunique(),
            "data_latest_timestamp": latest,
            "data_cut": datetime.datetime.fromtimestamp(latest, datetime.UTC).isoformat(),
            "standing_rows": len(self.standing),
            "held_out_rows": len(self.held_out),
            "batches": json.dumps(self.batches),
        }


@dataclass(frozen=True)
class TrainingResult:
    """A logged model, its scores and the checks it must pass before it may be registered.

    Attributes:
        data_size: ratings trained on.
        standing: on the test rows in `ratings`, as training left the model.
        scores: by rows and protocol: `standing`, `standing_fold`, and once batches are in the
            buffer `held_out_fold`.
        checks: of the model as it will be served.
        seconds: that fitting took.
        peak_memory_mb: the most memory that the process ever had; None where nobody counts.
    """

    mlflow_run_id: str
    data_size: int
    standing: Scores
    scores: Mapping[str, FoldScores]
    checks: tuple[Check, ...]
    seconds: float
    peak_memory_mb: float | None


def ratings_sha256(ratings: pd.DataFrame) -> str:
    """Return a digest of a ratings frame's columns, the bytes in their order."""
    digest = hashlib.sha256()
    for column in ("userId", "movieId", "rating", "timestamp"):
        digest.update(np.ascontiguousarray(ratings[column].to_numpy()).tobytes())
    return digest.hexdigest()


def hyperparameters_of(settings: TrainingSettings) -> Hyperparameters:
    """Return what of the settings training is told."""
    return Hyperparameters(**settings.model_dump(exclude={"held_out_share"}))


def read_training_data(dsn: str, week: datetime.date) -> TrainingData:
    """Read everything at one moment and close the connection before training starts.

    Raises:
        TrainingError: there is nothing to train on, nothing to test with, or no batch of this week
            or a later one: a model of a week to come would stand above those of the weeks between.
    """
    with connect(dsn) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        _refuse_future(connection, week)
        ratings = training_ratings(connection, week)
        data = TrainingData(
            week=week,
            ratings=ratings,
            standing=unrated(standing_test(connection), ratings),
            held_out=unrated(held_out(connection, week), ratings),
            movies=catalogue(connection),
            batches=training_batches(connection, week),
        )
    if data.ratings.empty or data.standing.empty:
        raise TrainingError(
            f"the warehouse has {len(data.ratings)} ratings to train on and {len(data.standing)} "
            "to test with: some of each, as data_preparation loads them, were expected"
        )
    return data


def _refuse_future(connection: psycopg.Connection, week: datetime.date) -> None:
    newest = newest_week(connection)
    if newest and week > newest:
        raise TrainingError(
            f"week {week} can't have a model yet: a week up to {newest}, the newest that is "
            "loaded, was expected"
        )


def train(data: TrainingData, settings: TrainingSettings, mlflow: Any, dsn: str) -> TrainingResult:
    """Fit, score and log a model inside MLflow's active run, and write its metrics row.

    Args:
        data: what to train and score on.
        settings: hyperparameters.
        mlflow: MLflow's module, or dagster-mlflow's resource; its active run is used and ended.
        dsn: of the warehouse.

    The run ends as FAILED when anything raises, as FINISHED otherwise.
    """
    with mlflow_run.ended(mlflow):
        result = _train(data, settings, mlflow)
        with connect(dsn) as connection:
            record_metrics(
                connection,
                mlflow_run_id=result.mlflow_run_id,
                week=data.week,
                rmse=result.standing.rmse,
                mae=result.standing.mae,
                precision_at_10=result.standing.precision_at_10,
                data_size=result.data_size,
                notes=f"on {result.standing.rows} standing test rows",
            )
    return result


def _train(data: TrainingData, settings: TrainingSettings, mlflow: Any) -> TrainingResult:
    hyperparameters = hyperparameters_of(settings)
    mlflow.log_params({**asdict(hyperparameters), **data.identity})
    started = time.perf_counter()
    trained = fit(data.ratings, data.movies, hyperparameters)
    seconds = time.perf_counter() - started
    with tempfile.TemporaryDirectory(prefix="cinematch-") as folder:
        path = Path(folder) / ARTIFACT
        export(trained, path, week=data.week, trained_at=datetime.datetime.now(datetime.UTC))
        model = Model.load(path)
        scores = _scores(model, trained, data)
        floor = _floor(trained, data)
        standing = Scores.of(scores["standing"])
        result = TrainingResult(
            mlflow_run_id=mlflow.active_run().info.run_id,
            data_size=len(data.ratings),
            standing=standing,
            scores=scores,
            checks=check_model(
                model, data.ratings, trained.genres, standing, Scores.of(floor["baseline"])
            ),
            seconds=seconds,
            peak_memory_mb=mlflow_run.peak_memory_mb(),
        )
        if failed := [check.name for check in result.checks if not check.passed]:
            mlflow.set_tag(FAILED_CHECKS, ", ".join(failed))
        # Before its metrics: MLflow would ask for the history of each to copy them to the model.
        model_id = _log_model(mlflow, path, data)
        _log_metrics(mlflow, {**scores, **floor}, result, model_id)
        for name, figure in _figures(model, trained, data, {**scores, **floor}).items():
            mlflow.log_figure(figure, f"plots/{name}.png")
    return result


def _scores(model: Model, trained: Trained, data: TrainingData) -> dict[str, FoldScores]:
    """Score the model as it will be served, by rows and protocol."""
    vectors = genre_membership(trained.genres).to_numpy(np.float32)
    scores = {
        "standing": evaluate_static(model, data.standing, data.ratings, vectors=vectors),
        "standing_fold": evaluate_fold(model, data.standing, data.ratings, vectors=vectors),
    }
    if len(data.held_out):
        held_out = evaluate_fold(model, data.held_out, data.ratings, vectors=vectors)
        scores["held_out_fold"] = held_out
    return scores


def _floor(trained: Trained, data: TrainingData) -> dict[str, FoldScores]:
    """Score what a model has to beat: biases alone, and the most rated for everybody."""
    most_rated = replace(trained.baseline, popularity=most_ratings(trained.interactions))
    return {
        "baseline": evaluate_static(trained.baseline, data.standing, data.ratings),
        "baseline_fold": evaluate_fold(trained.baseline, data.standing, data.ratings),
        "popularity_fold": evaluate_fold(most_rated, data.standing, data.ratings),
    }


def _log_metrics(
    mlflow: Any, scores: Mapping[str, FoldScores], result: TrainingResult, model_id: str
) -> None:
    """Log every figure to the run and to its model, in one request."""
    figures = {"fit_seconds": result.seconds}
    if result.peak_memory_mb is not None:
        figures["peak_memory_mb"] = result.peak_memory_mb
    for name, found in scores.items():
        figures |= mlflow_run.metrics(name, found)
    mlflow.log_metrics(figures, model_id=model_id)


def _figures(
    model: Model, trained: Trained, data: TrainingData, scores: Mapping[str, FoldScores]
) -> dict[str, Figure]:
    """Draw what a person looks at before trusting a model."""
    test = data.standing
    predicted = model.predict(test["userId"].to_numpy(), test["movieId"].to_numpy())
    algorithms = {
        "this model": scores["standing_fold"],
        "the most rated": scores["popularity_fold"],
        "the best rated": scores["baseline_fold"],
    }
    figures = {
        "errors_by_star": plots.errors_by_star(test["rating"].to_numpy(), predicted),
        "slices_static": plots.metrics_by_slice(
            scores["standing"].slices, "The model as trained, on the standing test"
        ),
        "slices_fold": plots.metrics_by_slice(
            scores["standing_fold"].slices,
            "The model once users have rated: the later half of their test ratings",
        ),
        "algorithms": plots.ndcg_of_algorithms(algorithms, "the most rated"),
    }
    if curve := learning_curve(trained, test):
        figures["learning_curve"] = plots.learning_curve(curve.train, curve.test)
    if isinstance(trained.rating, FactorRating):
        figures["factor_norms"] = plots.factor_norms(trained.rating, trained.interactions)
    return figures


def _log_model(mlflow: Any, folder: Path, data: TrainingData) -> str:
    """Log the folder of a model with the code that loads it; returns MLflow's id of it."""
    package = Path(serving.model.pyfunc.__file__).parent
    code = folder.with_name(package.parent.name)
    for room in (package, package.with_name("base")):
        shutil.copytree(room, code / room.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(package.with_name("__init__.py"), code)
    example = pd.DataFrame({"user_id": data.ratings["userId"].head(2), "top_k": [3, 3]})
    logged = mlflow.pyfunc.log_model(
        name=ARTIFACT,
        python_model=serving.model.pyfunc.__file__,
        artifacts={ARTIFACT: str(folder)},
        code_paths=[str(code)],
        signature=serving.model.pyfunc.SIGNATURE,
        input_example=example,
        pip_requirements=list(REQUIREMENTS),
    )
    return str(logged.model_id)
