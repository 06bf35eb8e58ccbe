"""A whole training job on ratings in memory, in a process of its own."""

from __future__ import annotations

import datetime
import tempfile
from pathlib import Path

import pandas as pd

from benchmarks.models.quality import defaults
from benchmarks.models.store import Figures
from benchmarks.timing import in_child, memory_peak, seconds
from cinematch_dagster.movielens import cut_by_time
from cinematch_dagster.recommenders import Trained, export, fit
from cinematch_dagster.recommenders.evaluation import evaluate_fold
from serving.model import Model

TEST_SHARE = 0.05


def training_job(folder: Path) -> Figures:
    """Fit both heads to 95 % of the ratings of a folder, write the model, and score it.

    Reading is left out. The rest is what the asset `trained_model` does, without its plots, its
    standing test and MLflow.
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
        trained.clear()
        took["score"] = seconds(lambda: evaluate_fold(Model.load(model), test, train))
        size = sum(path.stat().st_size for path in model.iterdir())
    peak = {"peak_bytes": float(memory_peak()), "model_bytes": float(size)}
    return {"rows": float(len(train)), **took, **peak}
