"""The sanity floor: stars from biases alone, order from popularity."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.ranking.popularity import damped_mean
from cinematch_dagster.recommenders.rating.trainset import RATING_SCALE
from serving.model.id_index import find_all

Floats = npt.NDArray[np.float64]

EPOCHS, MOVIE_PENALTY, USER_PENALTY = 10, 10.0, 15.0


@dataclass(frozen=True)
class BaselinePredictor:
    r"""Expected stars :math:`\mu + b_u + b_i`, unknown users and movies contributing 0.

    Biases are the regularized least-squares ones of Surprise's `BaselineOnly`, by alternation
    (Koren: Factor in the neighbors, 2010).
    """

    user_ids: npt.NDArray[np.int32]
    movie_ids: npt.NDArray[np.int32]
    global_mean: float
    user_bias: Floats
    movie_bias: Floats
    popularity: npt.NDArray[np.float32]

    def predict(
        self, user_ids: npt.NDArray[np.integer], movie_ids: npt.NDArray[np.integer]
    ) -> npt.NDArray[np.float32]:
        """Return the stars expected from each user for each movie, pairwise, (n,), 0.5 to 5."""
        user_bias, movie_bias = np.append(self.user_bias, 0.0), np.append(self.movie_bias, 0.0)
        users, movies = find_all(self.user_ids, user_ids), find_all(self.movie_ids, movie_ids)
        stars = self.global_mean + user_bias[users] + movie_bias[movies]
        return np.asarray(np.clip(stars, *RATING_SCALE), dtype=np.float32)

    def scores(self, user_ids: npt.NDArray[np.integer]) -> npt.NDArray[np.float32]:
        """Return the damped means for every user, (n, n_movies)."""
        return np.tile(self.popularity, (len(user_ids), 1))

    def fold_in(
        self,
        user_ids: npt.NDArray[np.integer],
        movie_ids: npt.NDArray[np.integer],
        stars: npt.NDArray[np.float32],
    ) -> BaselinePredictor:
        """Give these users the bias that follows from these ratings alone, (n,) each.

        Movies stay as trained, and so does the order; an unknown movie has a bias of 0.
        """
        new, rows = np.unique(user_ids, return_inverse=True)
        movie_bias = np.append(self.movie_bias, 0.0)[find_all(self.movie_ids, movie_ids)]
        sums = np.bincount(rows, stars - self.global_mean - movie_bias)
        biases = pd.Series(sums / (USER_PENALTY + np.bincount(rows)), index=new)
        biases = biases.combine_first(pd.Series(self.user_bias, index=self.user_ids))
        users = biases.index.to_numpy(dtype=np.int32)
        return replace(self, user_ids=users, user_bias=np.asarray(biases, np.float64))


def fit_baseline(interactions: Interactions) -> BaselinePredictor:
    """Fit the biases by alternating between movies and users."""
    n_users, n_movies = len(interactions.user_ids), len(interactions.movie_ids)
    users, movies = interactions.users, interactions.movies
    residuals = interactions.stars.astype(np.float64)
    mean = residuals.mean()
    residuals -= mean
    user_bias, movie_bias = np.zeros(n_users), np.zeros(n_movies)
    for _ in range(EPOCHS):
        sums = np.bincount(movies, residuals - user_bias[users], n_movies)
        movie_bias = sums / (MOVIE_PENALTY + interactions.movie_counts)
        sums = np.bincount(users, residuals - movie_bias[movies], n_users)
        user_bias = sums / (USER_PENALTY + interactions.user_counts)
    popularity = damped_mean(interactions)
    popularity[interactions.movie_counts == 0] = -np.inf
    return BaselinePredictor(
        interactions.user_ids,
        interactions.movie_ids,
        float(mean),
        user_bias,
        movie_bias,
        popularity.astype(np.float32),
    )


def fit_floor(interactions: Interactions) -> BaselinePredictor:
    """Fit the biases, with the most rated movies first: what every model has to be better than."""
    counts = interactions.movie_counts.astype(np.float32)
    counts[counts == 0] = -np.inf
    return replace(fit_baseline(interactions), popularity=counts)
