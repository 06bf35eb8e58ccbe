"""Train a challenger and score it on rows it has never seen; `log` has it kept by MLflow."""

import datetime
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cinematch_dagster.pipeline.training import log, mlflow_run
from cinematch_dagster.pipeline.training.data import TrainingData
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.recommenders.algorithms import Hyperparameters
from cinematch_dagster.recommenders.checks.model_checks import Check, check_model
from cinematch_dagster.recommenders.evaluation import (
    FoldScores,
    Scores,
    evaluate_fold,
    evaluate_static,
)
from cinematch_dagster.recommenders.export import export
from cinematch_dagster.recommenders.features import genre_membership
from cinematch_dagster.recommenders.fit import Trained, fit
from cinematch_dagster.recommenders.ranking.popularity import most_ratings
from cinematch_dagster.warehouse.training.model_metrics import record_metrics
from serving.model.recommender import Model


@dataclass(frozen=True)
class Challenger:
    """A model that was trained, scored and checked.

    Attributes:
        trained: the model as fitted.
        model: the same as it will be served.
        scores: of `model`, by rows and protocol, as in `TrainingResult`.
        floor: the scores of what a model has to beat, on the standing test rows: `baseline` and
            `baseline_fold` of mean and biases alone, `popularity_fold` of the most rated movies.
        checks: of `model`.
        seconds: that fitting took.
    """

    trained: Trained
    model: Model
    scores: Mapping[str, FoldScores]
    floor: Mapping[str, FoldScores]
    checks: tuple[Check, ...]
    seconds: float

    @property
    def standing(self) -> Scores:
        """The scores on the standing test rows, without what test users rated folded in."""
        return Scores.of(self.scores["standing"])


@dataclass(frozen=True)
class TrainingResult:
    """A logged model, its scores and the checks it must pass before it may be registered.

    Attributes:
        data_size: ratings trained on.
        standing: on the test rows in `ratings`, without what test users rated folded in.
        scores: by rows and protocol: `standing`, `standing_fold`, and once batches are in the
            buffer `held_out_fold`.
        checks: of the model as it will be served.
        seconds: that fitting took.
        peak_memory_mb: the most memory that the process ever had; None where that is not known.
    """

    mlflow_run_id: str
    data_size: int
    standing: Scores
    scores: Mapping[str, FoldScores]
    checks: tuple[Check, ...]
    seconds: float
    peak_memory_mb: float | None

    @property
    def cost(self) -> dict[str, float]:
        """What the training took, by the names of MLflow's metrics."""
        memory = {} if self.peak_memory_mb is None else {"peak_memory_mb": self.peak_memory_mb}
        return {"fit_seconds": self.seconds, **memory}


def train(
    data: TrainingData, hyperparameters: Hyperparameters, mlflow: Any, dsn: str
) -> TrainingResult:
    """Fit, score and log a model inside MLflow's active run, and write its metrics row.

    Args:
        data: what to train and score on.
        hyperparameters: of both heads.
        mlflow: MLflow's module, or dagster-mlflow's resource; its active run is used and ended.
        dsn: of the warehouse.

    The run ends as FAILED when anything raises, as FINISHED otherwise.
    """
    with mlflow_run.ended(mlflow):
        result = _train(data, hyperparameters, mlflow)
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


def _train(data: TrainingData, hyperparameters: Hyperparameters, mlflow: Any) -> TrainingResult:
    mlflow.log_params({**hyperparameters.parameters, **data.identity})
    with tempfile.TemporaryDirectory(prefix="cinematch-") as scratch:
        folder = Path(scratch) / log.ARTIFACT
        challenger = _challenger(data, hyperparameters, folder)
        result = TrainingResult(
            mlflow_run_id=mlflow.active_run().info.run_id,
            data_size=len(data.ratings),
            standing=challenger.standing,
            scores=challenger.scores,
            checks=challenger.checks,
            seconds=challenger.seconds,
            peak_memory_mb=mlflow_run.peak_memory_mb(),
        )
        log.log_failed_checks(mlflow, challenger.checks)
        # Before its metrics: MLflow would ask for the history of each to copy them to the model.
        example = pd.DataFrame({"user_id": data.ratings["userId"].head(2), "top_k": [3, 3]})
        model_id = log.log_model(mlflow, folder, example)
    scores = {**challenger.scores, **challenger.floor}
    log.log_metrics(mlflow, scores, result.cost, model_id)
    log.log_plots(mlflow, challenger.model, challenger.trained, data.standing, scores)
    return result


def _challenger(data: TrainingData, hyperparameters: Hyperparameters, folder: Path) -> Challenger:
    """Fit a model, write it into a folder, and score and check it as it is read from there."""
    started = time.perf_counter()
    trained = fit(data.ratings, data.movies, hyperparameters)
    seconds = time.perf_counter() - started
    export(trained, folder, week=data.week, trained_at=datetime.datetime.now(datetime.UTC))
    model = Model.load(folder)
    scores, floor = _scores(model, trained, data), _floor(trained, data)
    standing, baseline = Scores.of(scores["standing"]), Scores.of(floor["baseline"])
    checks = check_model(model, data.ratings, trained.genres, standing, baseline)
    return Challenger(trained, model, scores, floor, checks, seconds)


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
    """Score what a model has to beat: biases alone, and the most rated movies for every user."""
    most_rated = replace(trained.baseline, popularity=most_ratings(trained.interactions))
    return {
        "baseline": evaluate_static(trained.baseline, data.standing, data.ratings),
        "baseline_fold": evaluate_fold(trained.baseline, data.standing, data.ratings),
        "popularity_fold": evaluate_fold(most_rated, data.standing, data.ratings),
    }
