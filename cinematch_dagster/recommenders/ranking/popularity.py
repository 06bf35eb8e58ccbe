"""Popularity: a damped mean in stars, and the ranking head `popularity`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from cinematch_dagster.recommenders.algorithm import Range, RankingAlgorithm

if TYPE_CHECKING:
    from cinematch_dagster.recommenders.interactions import Interactions
    from serving.model.heads import PopularityRanking

DAMPING = 25.0
"""Ratings of the global mean that every movie starts with."""
DAY = 86_400


class Popularity(RankingAlgorithm):
    """The same order for every user; the arguments of `fit_popularity`."""

    algorithm: Literal["popularity"] = "popularity"
    half_life_days: float = Field(365.0, gt=0)

    search: ClassVar = {"half_life_days": Range(30.0, 3_000.0, log=True)}

    def fit(self, interactions: Interactions, seed: int) -> PopularityRanking:  # noqa: ARG002
        """Fit the head; it draws nothing."""
        return fit_popularity(interactions, **self.hyperparameters)


def damped_mean(interactions: Interactions, damping: float = DAMPING) -> npt.NDArray[np.float64]:
    r"""Return each movie's damped mean in stars, (n_movies,).

    :math:`(\sum_u r_{ui} + k \mu) / (n_i + k)` with k = `damping`; mu for a movie without ratings.
    """
    stars = interactions.stars.astype(np.float64)
    sums = np.bincount(interactions.movies, weights=stars, minlength=len(interactions.movie_ids))
    means: npt.NDArray[np.float64] = sums + damping * stars.mean()
    return means / (interactions.movie_counts + damping)


def most_ratings(interactions: Interactions) -> npt.NDArray[np.float32]:
    """Return each movie's number of ratings, (n_movies,); -inf for one without."""
    counts = interactions.movie_counts
    return np.where(counts > 0, counts, -np.inf).astype(np.float32)


def fit_popularity(interactions: Interactions, *, half_life_days: float) -> PopularityRanking:
    """Add up each movie's `max(r - 2, 0)`, a rating's share halving with its age.

    Age is counted from the latest rating; the scores' maximum is 1, if anything was liked.
    """
    from serving.model.heads import PopularityRanking
    from serving.model.scoring.fold_in import ranking_weights

    seconds = np.asarray(interactions.timestamps.max() - interactions.timestamps, np.float64)
    age = seconds / (half_life_days * DAY)
    weights = ranking_weights(interactions.stars, 1.0) * np.exp2(-age)
    sums = np.bincount(interactions.movies, weights, len(interactions.movie_ids))
    return PopularityRanking(sums / max(float(sums.max()), float(np.finfo(np.float32).tiny)))
