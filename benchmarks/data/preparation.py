"""Preparing raw ratings: clean, reduce, cut, split, batches, and the movies' features."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.data.ratings import TRAIN_SHARE
from benchmarks.timing import in_child, memory_peak, seconds
from cinematch_dagster.movielens import movie_features, prepare

BASELINE_SHARE = 0.7
BATCHES = 7


@dataclass(frozen=True)
class Preparation:
    """Seconds of the two parts, and the most bytes of memory that the process ever had."""

    rows: int
    movies: int
    ratings_seconds: float
    features_seconds: float
    peak: int

    @property
    def rate(self) -> float:
        """Ratings a second, both parts together."""
        return self.rows / (self.ratings_seconds + self.features_seconds)


def time_preparation(raw: Path) -> Preparation:
    """Prepare the ratings and movies of a folder, once, in a process of its own."""
    return in_child(_prepare, raw)


def _prepare(raw: Path) -> Preparation:
    ratings, movies = (pd.read_parquet(raw / f"{name}.parquet") for name in ("ratings", "movies"))
    movie_features(movies.head(100))  # scikit-learn is imported by then
    return Preparation(
        rows=len(ratings),
        movies=len(movies),
        ratings_seconds=seconds(
            lambda: prepare(
                ratings,
                start=None,
                most_recent=len(ratings),
                baseline_share=BASELINE_SHARE,
                train_share=TRAIN_SHARE,
                batches=BATCHES,
            )
        ),
        features_seconds=seconds(lambda: movie_features(movies)),
        peak=memory_peak(),
    )
