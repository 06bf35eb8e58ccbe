"""A whole training job on ratings in memory, in a process of its own."""

from __future__ import annotations

import datetime
import tempfile
from pathlib import Path

import pandas as pd

from benchmarks.common.timing import GB, MB, in_child, memory_peak, seconds
from benchmarks.models.cold import Figures
from benchmarks.models.quality import defaults
from cinematch_dagster.movielens import cut_by_time
from cinematch_dagster.recommenders.checks.model_checks import check_model
from cinematch_dagster.recommenders.evaluation import Scores, evaluate_fold, evaluate_static
from cinematch_dagster.recommenders.export import export
from cinematch_dagster.recommenders.fit import Trained, fit
from cinematch_dagster.recommenders.tuning.learning_curve import learning_curve
from serving.model.recommender import Model

TEST_SHARE = 0.05


def training_job(folder: Path) -> Figures:
    """Fit both heads to 95 % of the ratings of a folder, write the model, score and check it.

    Reading is left out. The rest is what the asset `trained_model` does, without its pictures and
    MLflow; the learning curve, for which the stars are fitted three times more, is with it.
    """
    return in_child(_job, folder)


def _job(folder: Path) -> Figures:
    ratings, movies = (pd.read_parquet(folder / f"{n}.parquet") for n in ("ratings", "movies"))
    train, test = cut_by_time(ratings, 1 - TEST_SHARE)
    del ratings
    trained: list[Trained] = []
    now = datetime.datetime.now(datetime.UTC)
    with tempfile.TemporaryDirectory(prefix="cinematch-bench-") as name:
        model = Path(name) / "model"
        took = {
            "fit": seconds(lambda: trained.append(fit(train, movies, defaults()))),
            "write": seconds(lambda: export(trained[0], model, week=now.date(), trained_at=now)),
        }
        served = Model.load(model)
        took["score"] = seconds(lambda: evaluate_fold(served, test, train))
        took["check"] = seconds(lambda: _check(served, trained[0], train, test))
        took["curve"] = seconds(lambda: learning_curve(trained[0], test))
        size = sum(path.stat().st_size for path in model.iterdir())
    return {"rows": len(train), **took, "peak_gb": memory_peak() / GB, "model_mb": size / MB}


def _check(model: Model, trained: Trained, train: pd.DataFrame, test: pd.DataFrame) -> None:
    """Score the model and the biases as they are, and look at everything that must hold."""
    scores, floor = (
        Scores.of(evaluate_static(predictor, test, train))
        for predictor in (model, trained.baseline)
    )
    check_model(model, train, trained.genres, scores, floor)
