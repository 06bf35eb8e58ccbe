"""Preparing raw ratings: clean, reduce, cut, split, batches, and the movies' features."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.common.timing import GB, in_child, memory_peak, seconds, timed
from benchmarks.data.ratings import TRAIN_SHARE
from cinematch_dagster.movielens import movie_features, prepare

BASELINE_SHARE = 0.7
BATCHES = 7


def time_preparation(raw: Path) -> dict[str, Any]:
    """Prepare the ratings and movies of a folder, once, in a process of its own.

    Returns rows and seconds of both parts, and the most memory that the process ever had, in GB.
    """
    return in_child(_prepare, raw)


def _prepare(raw: Path) -> dict[str, Any]:
    ratings, movies = (pd.read_parquet(raw / f"{name}.parquet") for name in ("ratings", "movies"))
    movie_features(movies.head(100))  # scikit-learn is imported by then
    work = functools.partial(
        prepare,
        ratings,
        start=None,
        most_recent=len(ratings),
        baseline_share=BASELINE_SHARE,
        train_share=TRAIN_SHARE,
        batches=BATCHES,
    )
    return {
        "ratings": timed(len(ratings), seconds(work)),
        "movies": timed(len(movies), seconds(lambda: movie_features(movies))),
        "peak_gb": memory_peak() / GB,
    }
