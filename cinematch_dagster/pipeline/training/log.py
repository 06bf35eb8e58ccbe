"""What a training leaves in MLflow: the model with its code, every figure, the plots."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

import serving.model
from cinematch_dagster.pipeline.training import mlflow_run
from cinematch_dagster.recommenders import plots
from cinematch_dagster.recommenders.checks.model_checks import Check
from cinematch_dagster.recommenders.evaluation import FoldScores
from cinematch_dagster.recommenders.fit import Trained
from serving.model.heads import FactorRating
from serving.model.pyfunc import SIGNATURE
from serving.model.recommender import Model

ARTIFACT = "model"
FAILED_CHECKS = "failed_checks"
"""Tag of an MLflow run: the names of the checks that its model did not pass."""
ENTRY = Path(str(serving.model.__file__)).with_name("mlflow_entry.py")
"""What MLflow runs to load a version."""
REQUIREMENTS = ("mlflow", "numpy", "pandas", "pyarrow")


def log_model(mlflow: Any, folder: Path, example: pd.DataFrame) -> str:
    """Log the folder of a model with the code that loads it; returns MLflow's id of it.

    MLflow uploads each file with a request of its own, so the code goes as one archive.

    Args:
        mlflow: MLflow's module, or dagster-mlflow's resource.
        folder: as `export` wrote it.
        example: a request, with columns user_id and top_k.
    """
    with tempfile.TemporaryDirectory(prefix="cinematch-") as scratch:
        logged = mlflow.pyfunc.log_model(
            name=ARTIFACT,
            python_model=str(ENTRY),
            artifacts={ARTIFACT: str(folder)},
            code_paths=[str(_code(Path(scratch)))],
            signature=SIGNATURE,
            input_example=example,
            pip_requirements=list(REQUIREMENTS),
        )
    return str(logged.model_id)


def _code(scratch: Path) -> Path:
    """Write `serving.model`, and what it imports, into the archive `serving.zip`."""
    package, copy = ENTRY.parent, scratch / "source"
    inside = copy / package.parent.name
    for room in (package, package.with_name("base")):
        shutil.copytree(room, inside / room.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(package.with_name("__init__.py"), inside)
    return Path(shutil.make_archive(str(scratch / package.parent.name), "zip", copy))


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
    figures = {
        "errors_by_star": plots.errors_by_star(test["rating"].to_numpy(), predicted),
        "slices_static": plots.metrics_by_slice(
            scores["standing"].slices, "The model as trained, on the standing test"
        ),
        "slices_fold": plots.metrics_by_slice(
            scores["standing_fold"].slices,
            "The model once users have rated: the later half of their test ratings",
        ),
    }
    if isinstance(trained.rating, FactorRating):
        figures["factor_norms"] = plots.factor_norms(trained.rating, trained.interactions)
    return figures
