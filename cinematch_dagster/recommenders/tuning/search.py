"""What tuning searches, and what a choice is worth: later ratings after cuts in time."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd

from cinematch_dagster.recommenders.algorithm import Range, RankingAlgorithm, RatingAlgorithm
from cinematch_dagster.recommenders.algorithms import RANKING_HEADS, RATING_HEADS
from cinematch_dagster.recommenders.evaluation.protocols import fold_in
from cinematch_dagster.recommenders.evaluation.ranking import rank, relevant_pairs
from cinematch_dagster.recommenders.evaluation.splits import halves
from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.metrics import ndcg, rmse
from cinematch_dagster.recommenders.ranking.popularity import Popularity
from cinematch_dagster.recommenders.rating.knn_baseline import Baseline
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
        present: the algorithm with the present values, also of what is not searched.
        seed: of every random choice.
        folds: in turn; after each one a trial may be given up.
    """

    present: RatingAlgorithm | RankingAlgorithm
    seed: int
    folds: tuple[Fold, ...]

    def __post_init__(self) -> None:
        if not self.present.search:
            kinds = {**RATING_HEADS, **RANKING_HEADS}
            expected = ", ".join(name for name, kind in kinds.items() if kind.search)
            raise TuningError(
                f"{self.present.algorithm!r} has nothing to tune: one of {expected} was expected"
            )

    @property
    def head(self) -> Head:
        """Which head is tuned."""
        return "rating" if isinstance(self.present, RatingAlgorithm) else "ranking"

    @property
    def metric(self) -> str:
        """What is measured: `rmse`, or `ndcg_at_10`."""
        return "rmse" if self.head == "rating" else "ndcg_at_10"

    @property
    def direction(self) -> Literal["minimize", "maximize"]:
        """Which way is better."""
        return "minimize" if self.metric == "rmse" else "maximize"

    @property
    def current(self) -> Values:
        """The present values of what is searched."""
        return {name: getattr(self.present, name) for name in self.present.search}

    @property
    def fixed_sha256(self) -> str:
        """A digest of what is not searched: figures compare with the same."""
        fixed = self.present.model_dump(exclude=set(self.present.search)) | {"seed": self.seed}
        return hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()

    @property
    def is_current_in_range(self) -> bool:
        """All of `current` could be drawn."""
        ranges = self.present.search
        return all(ranges[n].low <= value <= ranges[n].high for n, value in self.current.items())

    def __call__(self, trial: Trial) -> float:
        """Fit and measure one choice.

        Raises:
            Pruned: the trial was given up.
        """
        chosen = self.present.model_copy(update=_suggest(trial, self.present.search))
        scores: list[float] = []
        for step, fold in enumerate(self.folds):
            scores.append(self.measure(chosen, fold))
            trial.report(float(np.mean(scores)), step)
            if step + 1 < len(self.folds) and trial.should_prune():
                raise Pruned
        return float(np.mean(scores))

    def measure(self, chosen: RatingAlgorithm | RankingAlgorithm, fold: Fold) -> float:
        """Fit the head to one fold and measure it; the other head is the cheapest there is."""
        interactions = Interactions.from_frame(fold.train)
        tunes_stars = isinstance(chosen, RatingAlgorithm)
        rating = chosen if isinstance(chosen, RatingAlgorithm) else Baseline()
        ranking = chosen if isinstance(chosen, RankingAlgorithm) else Popularity()
        fitted = rating.fit(interactions, self.seed), ranking.fit(interactions, self.seed)
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


def _suggest(trial: Trial, ranges: Mapping[str, Range]) -> Values:
    return {
        name: trial.suggest_int(name, int(r.low), int(r.high), log=r.log)
        if r.is_whole
        else readable(trial.suggest_float(name, r.low, r.high, log=r.log))
        for name, r in ranges.items()
    }


def readable(value: Any) -> Any:
    """Return a number with three significant digits, a whole one as it is."""
    return value if isinstance(value, int) else float(f"{value:.3g}")


def as_toml(head: Head, algorithm: str, values: Values) -> str:
    """Return the lines for a profile."""
    lines = (f"{name} = {value}\n" for name, value in values.items())
    return "".join((f'[training.{head}]\nalgorithm = "{algorithm}"\n', *lines))
