"""What tuning searches, and what a choice is worth: later ratings after cuts in time."""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd

from cinematch_dagster.recommenders.algorithms import (
    RANKING_HEADS,
    RATING_HEADS,
    Hyperparameters,
)
from cinematch_dagster.recommenders.evaluation.protocols import fold_in
from cinematch_dagster.recommenders.evaluation.ranking import rank, relevant_pairs
from cinematch_dagster.recommenders.evaluation.splits import halves
from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.metrics import ndcg, rmse
from cinematch_dagster.recommenders.scorer import scorer

Head = Literal["rating", "ranking"]
Values = dict[str, Any]
"""Hyperparameters by name, whole numbers and others."""
CUTS = (0.7, 0.8, 0.9)
"""Shares of the ratings, the oldest first, that the folds are trained on; each is tested on the
tenth that follows."""
FEWEST = 100
"""Ratings without which there is nothing to learn from a fold."""


class TuningError(ValueError):
    """There is nothing to tune; the message says what was expected."""


@dataclass(frozen=True)
class Range:
    """Bounds of a hyperparameter, both included; whole numbers where they are.

    Attributes:
        low: the least.
        high: the most.
        log: drawn evenly in the logarithm.
    """

    low: int | float
    high: int | float
    log: bool = False

    @property
    def is_whole(self) -> bool:
        """Whole numbers are drawn."""
        return isinstance(self.low, int) and isinstance(self.high, int)


SEARCH: dict[str, dict[str, Range]] = {
    "svd": {
        "svd_factors": Range(20, 200),
        "svd_epochs": Range(20, 120),
        "svd_learning_rate": Range(0.001, 0.01, log=True),
        "svd_regularization": Range(0.01, 0.2, log=True),
    },
    "svdpp": {
        "svdpp_factors": Range(10, 60),
        "svdpp_epochs": Range(10, 40),
        "svdpp_learning_rate": Range(0.002, 0.02, log=True),
        "svdpp_regularization": Range(0.005, 0.1, log=True),
    },
    "knn_baseline": {"knn_neighbours": Range(10, 100)},
    "als": {
        "als_factors": Range(32, 256),
        "als_iterations": Range(5, 25),
        "als_regularization": Range(1.0, 300.0, log=True),
        "als_alpha": Range(0.5, 20.0, log=True),
    },
    "ease": {"ease_regularization": Range(100.0, 10_000.0, log=True)},
    "item_knn": {"item_knn_links": Range(10, 300)},
    "popularity": {"popularity_half_life_days": Range(30.0, 3_000.0, log=True)},
}
"""The only place where ranges stand, by algorithm and by the name of the setting."""


class Trial(Protocol):
    """What is needed of Optuna's."""

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        """Choose a whole number."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """Choose a number."""

    def report(self, value: float, step: int) -> None:
        """Note how it goes."""

    def should_prune(self) -> bool:
        """Say whether going on is a waste."""


class Pruned(Exception):  # noqa: N818 - it is no error, and the study is told by another name
    """A trial was given up after some folds, its mean so far worse than the others'."""


@dataclass(frozen=True)
class Fold:
    """Ratings frames on both sides of a cut in time."""

    train: pd.DataFrame
    test: pd.DataFrame


def time_folds(ratings: pd.DataFrame) -> tuple[Fold, ...]:
    """Cut ratings in the order of time at each of `CUTS`.

    Raises:
        TuningError: fewer than `FEWEST` rows.
    """
    if len(ratings) < FEWEST:
        raise TuningError(
            f"{len(ratings)} training ratings are too few to tune on: at least {FEWEST} were "
            "expected"
        )
    edges = [round(len(ratings) * share) for share in (*CUTS, 1.0)]
    return tuple(Fold(ratings[:cut], ratings[cut:end]) for cut, end in itertools.pairwise(edges))


@dataclass(frozen=True)
class Objective:
    """Means over the folds, by the fold protocol: RMSE of the stars, or NDCG@10 of the order.

    Attributes:
        algorithm: one of `SEARCH`.
        hyperparameters: those that are not searched.
        folds: in turn; after each one a trial may be given up.
    """

    algorithm: str
    hyperparameters: Hyperparameters
    folds: tuple[Fold, ...]

    def __post_init__(self) -> None:
        if self.algorithm not in SEARCH:
            expected = ", ".join(SEARCH)
            raise TuningError(
                f"{self.algorithm!r} has nothing to tune: one of {expected} was expected"
            )

    @property
    def metric(self) -> str:
        """What is measured: `rmse`, or `ndcg_at_10`."""
        return "rmse" if self.algorithm in RATING_HEADS else "ndcg_at_10"

    @property
    def direction(self) -> Literal["minimize", "maximize"]:
        """Which way is better."""
        return "minimize" if self.metric == "rmse" else "maximize"

    @property
    def current(self) -> Values:
        """The values of `hyperparameters`."""
        return {name: getattr(self.hyperparameters, name) for name in SEARCH[self.algorithm]}

    @property
    def fixed_sha256(self) -> str:
        """A digest of the hyperparameters that are not searched: figures compare with the same."""
        fixed = asdict(self.hyperparameters)
        for name in SEARCH[self.algorithm]:
            del fixed[name]
        return hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()

    @property
    def is_current_in_range(self) -> bool:
        """All of `current` could be drawn."""
        ranges = SEARCH[self.algorithm]
        return all(ranges[n].low <= value <= ranges[n].high for n, value in self.current.items())

    def __call__(self, trial: Trial) -> float:
        """Fit and measure one choice.

        Raises:
            Pruned: the trial was given up.
        """
        chosen = replace(self.hyperparameters, **_suggest(trial, SEARCH[self.algorithm]))
        scores: list[float] = []
        for step, fold in enumerate(self.folds):
            scores.append(self.measure(chosen, fold))
            trial.report(float(np.mean(scores)), step)
            if step + 1 < len(self.folds) and trial.should_prune():
                raise Pruned
        return float(np.mean(scores))

    def measure(self, hyperparameters: Hyperparameters, fold: Fold) -> float:
        """Fit the head to one fold and measure it; the other head is the cheapest there is."""
        interactions = Interactions.from_frame(fold.train)
        tunes_stars = self.algorithm in RATING_HEADS
        rating = RATING_HEADS[self.algorithm if tunes_stars else "baseline"]
        ranking = RANKING_HEADS["popularity" if tunes_stars else self.algorithm]
        fitted = rating(interactions, hyperparameters), ranking(interactions, hyperparameters)
        support, target = halves(fold.test)
        known = pd.concat([fold.train, support])
        folded = fold_in(
            scorer(interactions, *fitted), known[known["userId"].isin(target["userId"])]
        )
        if tunes_stars:
            pairs = target["userId"].to_numpy(), target["movieId"].to_numpy()
            return rmse(target["rating"].to_numpy(), folded.predict(*pairs))
        ranked = rank(folded, relevant_pairs(target, known), known)
        found = ndcg(ranked.hits, ranked.relevant)
        return float(found.mean()) if len(found) else 0.0


def _suggest(trial: Trial, ranges: dict[str, Range]) -> Values:
    return {
        name: trial.suggest_int(name, int(r.low), int(r.high), log=r.log)
        if r.is_whole
        else readable(trial.suggest_float(name, r.low, r.high, log=r.log))
        for name, r in ranges.items()
    }


def readable(value: Any) -> Any:
    """Return a number with three significant digits, a whole one as it is."""
    return value if isinstance(value, int) else float(f"{value:.3g}")


def as_toml(values: Values) -> str:
    """Return the lines for a profile."""
    return "".join(("[training]\n", *(f"{name} = {value}\n" for name, value in values.items())))
