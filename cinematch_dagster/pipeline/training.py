"""Station 3: train a challenger, score it on rows it has never seen, log it to MLflow."""

import datetime
import hashlib
import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import serving.pyfunc
from cinematch_dagster.recommenders import (
    Check,
    Hyperparameters,
    Scores,
    check_model,
    evaluate,
    export,
    fit,
)
from cinematch_dagster.recommenders.plots import training_plots
from cinematch_dagster.settings import TrainingSettings
from cinematch_dagster.warehouse.connection import connect
from cinematch_dagster.warehouse.promotions import record_metrics
from cinematch_dagster.warehouse.training_data import (
    catalogue,
    held_out,
    standing_test,
    training_batches,
    training_ratings,
)
from serving.model import Model

ARTIFACT = "model"
REQUIREMENTS = ("mlflow", "numpy", "pandas", "pyarrow")


@dataclass(frozen=True)
class TrainingData:
    """What a model of a week is trained and scored on.

    Attributes:
        week: the Monday up to which batches count.
        ratings: train and the buffer without its held-out rows; latest per user and movie.
        standing: the test rows in `ratings`; never trained on.
        held_out: the held-out rows of the buffer, those since the last promotion.
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
        """The identity of `ratings`: a digest of its columns' bytes in their order."""
        digest = hashlib.sha256()
        for column in ("userId", "movieId", "rating", "timestamp"):
            digest.update(np.ascontiguousarray(self.ratings[column].to_numpy()).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class TrainingResult:
    """A logged model, its scores and the checks it must pass before it may be registered.

    Attributes:
        standing: on the test rows in `ratings`; `baseline` is the sanity floor's on the same.
        held_out: on the buffer's held-out rows; None while no batch is in the buffer.
        seconds: that fitting took.
    """

    mlflow_run_id: str
    data_size: int
    standing: Scores
    held_out: Scores | None
    baseline: Scores
    checks: tuple[Check, ...]
    seconds: float


def read_training_data(dsn: str, week: datetime.date) -> TrainingData:
    """Read everything at one moment and close the connection before training starts."""
    with connect(dsn) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return TrainingData(
            week=week,
            ratings=training_ratings(connection, week),
            standing=standing_test(connection),
            held_out=held_out(connection, week),
            movies=catalogue(connection),
            batches=training_batches(connection, week),
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
    try:
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
    except BaseException:
        mlflow.end_run("FAILED")
        raise
    mlflow.end_run()
    return result


def _train(data: TrainingData, settings: TrainingSettings, mlflow: Any) -> TrainingResult:
    hyperparameters = Hyperparameters(**settings.model_dump(exclude={"held_out_share"}))
    started = time.perf_counter()
    trained = fit(data.ratings, data.movies, hyperparameters)
    seconds = time.perf_counter() - started
    with tempfile.TemporaryDirectory(prefix="cinematch-") as folder:
        path = Path(folder) / ARTIFACT
        export(trained, path, week=data.week, trained_at=datetime.datetime.now(datetime.UTC))
        model = Model.load(path)
        standing = evaluate(model, data.standing, data.ratings)
        baseline = evaluate(trained.baseline, data.standing, data.ratings)
        result = TrainingResult(
            mlflow_run_id=mlflow.active_run().info.run_id,
            data_size=len(data.ratings),
            standing=standing,
            held_out=evaluate(model, data.held_out, data.ratings) if len(data.held_out) else None,
            baseline=baseline,
            checks=check_model(model, data.ratings, standing, baseline),
            seconds=seconds,
        )
        _log(mlflow, data, hyperparameters, result)
        for name, figure in training_plots(model, trained, data.standing).items():
            mlflow.log_figure(figure, f"plots/{name}.png")
        _log_model(mlflow, path, data)
    return result


def _log(
    mlflow: Any, data: TrainingData, hyperparameters: Hyperparameters, result: TrainingResult
) -> None:
    identity = {
        "week": data.week.isoformat(),
        "data_sha256": data.sha256,
        "data_rows": len(data.ratings),
        "data_users": data.ratings["userId"].nunique(),
        "data_movies": data.ratings["movieId"].nunique(),
        "data_latest_timestamp": int(data.ratings["timestamp"].max()),
        "batches": json.dumps(data.batches),
    }
    mlflow.log_params({**asdict(hyperparameters), **identity})
    sets = {"standing": result.standing, "held_out": result.held_out, "baseline": result.baseline}
    for name, scores in sets.items():
        if scores is not None:
            mlflow.log_metrics({f"{name}_{k}": float(v) for k, v in asdict(scores).items()})
    mlflow.log_metric("fit_seconds", result.seconds)


def _log_model(mlflow: Any, folder: Path, data: TrainingData) -> None:
    example = pd.DataFrame({"user_id": data.ratings["userId"].head(2), "top_k": [3, 3]})
    mlflow.pyfunc.log_model(
        name=ARTIFACT,
        python_model=serving.pyfunc.__file__,
        artifacts={ARTIFACT: str(folder)},
        code_paths=[str(Path(serving.pyfunc.__file__).parent)],
        signature=serving.pyfunc.SIGNATURE,
        input_example=example,
        pip_requirements=list(REQUIREMENTS),
    )
