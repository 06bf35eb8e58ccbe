"""How good each algorithm is: random split, cut in time by three protocols, hidden movies."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple

import pandas as pd

from benchmarks.models.cold import Figures, heads, measure_cold
from cinematch_dagster.movielens import clean, cut_by_time, load
from cinematch_dagster.movielens.sources.raw_files import read_movies, read_ratings
from cinematch_dagster.movielens.sources.unpack import unpack
from cinematch_dagster.recommenders.algorithms import RANKING_HEADS, RATING_HEADS, Hyperparameters
from cinematch_dagster.recommenders.evaluation import (
    FoldScores,
    evaluate_fold,
    evaluate_sequential,
    evaluate_static,
    random_split,
)
from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.scorer import scorer
from cinematch_dagster.settings import ROOT

Split = Literal["random", "time", "cold"]
SMALL: Final = 200_000
"""Ratings up to which every algorithm gets every seed."""
SLOW: Final = ("svdpp", "knn_baseline")
PATIENCE: Final = 0.1
"""Of the sequential fold-in, see `evaluate_sequential`."""
TEST_SHARE: Final = 0.1
TRAIN_SHARE: Final = 0.7
FIRST_SEED: Final = 42


@dataclass(frozen=True)
class Case:
    """What is measured of one algorithm: the means over `seeds` fits."""

    data: str
    split: Split
    algorithm: str
    seeds: int = 1

    @property
    def name(self) -> str:
        """Where its figures are in the results."""
        return f"quality/{self.data}/{self.split}/{self.algorithm}"


class Data(NamedTuple):
    """A data set: its ratings frame, cleaned, and movieId, title, genres."""

    ratings: pd.DataFrame
    movies: pd.DataFrame


def read(source: Path | None) -> Data:
    """Read and clean a MovieLens zip or folder; None is the shipped sample."""
    if source is None:
        sample = load("sample", ROOT / "data")
        return Data(clean(sample.ratings)[0], sample.movies)
    with tempfile.TemporaryDirectory(prefix="cinematch-bench-") as name:
        unpack(source, Path(name) / "data")
        folder = Path(name) / "data"
        return Data(clean(read_ratings(folder)[0])[0], read_movies(folder))


def cases(data: str, n_ratings: int, seeds: int, leave_out: AbstractSet[str]) -> list[Case]:
    """Return what to measure, the slow last: cut in time, hidden movies, random splits.

    Args:
        data: its name.
        n_ratings: of it; above `SMALL` the slow algorithms get one seed.
        seeds: random splits.
        leave_out: algorithms.
    """
    algorithms = [name for name in (*RATING_HEADS, *RANKING_HEADS) if name not in leave_out]
    found = [Case(data, "time", name) for name in algorithms]
    found += [Case(data, "cold", name) for name in algorithms if name not in SLOW]
    for name in algorithms:
        found.append(Case(data, "random", name, 1 if n_ratings > SMALL and name in SLOW else seeds))
    return sorted(found, key=lambda case: case.algorithm in SLOW)


def measure(case: Case, data: Data) -> Figures:
    """Return the means over the seeds from `FIRST_SEED` on, and how many these are."""
    runs = [measure_once(case, data, FIRST_SEED + number) for number in range(case.seeds)]
    means = {name: statistics.fmean(run[name] for run in runs) for name in runs[0]}
    return means | {"seeds": case.seeds}


def measure_once(case: Case, data: Data, seed: int) -> Figures:
    """Fit and score one algorithm; the other head is the cheapest one, its figures are left out."""
    if case.split == "cold":
        return measure_cold(case.algorithm, *data, seed)
    if case.split == "random":
        train, test = random_split(data.ratings, TEST_SHARE, seed)
    else:
        train, test = cut_by_time(data.ratings, TRAIN_SHARE)
    interactions = Interactions.from_frame(train)
    stars = case.algorithm in RATING_HEADS
    chosen, order = heads(case.algorithm)
    started = time.perf_counter()
    rating = chosen.fit(interactions, seed)
    between = time.perf_counter()
    ranking = order.fit(interactions, seed)
    took = between - started if stars else time.perf_counter() - between
    figures = {"fit_seconds": took}
    predictor = scorer(interactions, rating, ranking)
    figures |= _figures("static", evaluate_static(predictor, test, train), stars)
    if case.split == "time":
        figures |= _figures("fold", evaluate_fold(predictor, test, train), stars)
    if case.split == "time" and stars:
        found = evaluate_sequential(predictor, test, train, patience=PATIENCE)
        figures |= {"sequential_rmse": found.rmse, "sequential_mae": found.mae}
    return figures


def defaults() -> Hyperparameters:
    """Return the hyperparameters that the platform ships with."""
    return Hyperparameters()


def _figures(protocol: str, found: FoldScores, stars: bool) -> Figures:
    if stars:
        return {f"{protocol}_rmse": found.rating.rmse, f"{protocol}_mae": found.rating.mae}
    ranking = found.ranking
    return {
        f"{protocol}_precision": float(ranking.precision_at_10.mean()),
        f"{protocol}_ndcg": float(ranking.ndcg_at_10.mean()),
    }
