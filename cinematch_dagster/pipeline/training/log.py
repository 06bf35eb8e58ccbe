"""What a training leaves in MLflow: the model with its code, every figure, the plots."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

import serving.model.pyfunc
from cinematch_dagster.pipeline.training import mlflow_run
from cinematch_dagster.pipeline.training.data import TrainingData
from cinematch_dagster.recommenders import Check, Trained, plots
from cinematch_dagster.recommenders.evaluation import FoldScores
from cinematch_dagster.recommenders.tuning.learning_curve import learning_curve
from serving.model.heads import FactorRating
from serving.model.recommender import Model

ARTIFACT = "model"
FAILED_CHECKS = "failed_checks"
"""Tag of an MLflow run: the names of the checks that its model did not pass."""
REQUIREMENTS = ("mlflow", "numpy", "pandas", "pyarrow")


def log_model(mlflow: Any, folder: Path, data: TrainingData) -> str:
    """Log the folder of a model with the code that loads it; returns MLflow's id of it."""
    package = Path(serving.model.pyfunc.__file__).parent
    code = folder.with_name(package.parent.name)
    shutil.copytree(package, code / package.name, ignore=shutil.ignore_patterns("__pycache__"))
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


def log_failed_checks(mlflow: Any, checks: Sequence[Check]) -> None:
    """Tag the run with the checks that its model did not pass, so that it is never registered."""
    if failed := [check.name for check in checks if not check.passed]:
        mlflow.set_tag(FAILED_CHECKS, ", ".join(failed))


def log_metrics(
    mlflow: Any, scores: Mapping[str, FoldScores], cost: Mapping[str, float], model_id: str
) -> None:
    """Log every figure to the run and to its model, in one request."""
    figures = dict(cost)
    for name, found in scores.items():
        figures |= mlflow_run.metrics(name, found)
    mlflow.log_metrics(figures, model_id=model_id)


def log_plots(
    mlflow: Any,
    model: Model,
    trained: Trained,
    test: pd.DataFrame,
    scores: Mapping[str, FoldScores],
) -> None:
    """Draw what is looked at before a model is trusted."""
    for name, figure in _figures(model, trained, test, scores).items():
        mlflow.log_figure(figure, f"plots/{name}.png")


def _figures(
    model: Model, trained: Trained, test: pd.DataFrame, scores: Mapping[str, FoldScores]
) -> dict[str, Figure]:
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
