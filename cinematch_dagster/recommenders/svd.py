"""The rating head: biased matrix factorization by stochastic gradient descent (Surprise's SVD)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import surprise

from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.trainset import ArrayTrainset
from serving.heads import FactorRating

Floats = npt.NDArray[np.float64]


def fit_svd(
    interactions: Interactions,
    *,
    factors: int,
    epochs: int,
    learning_rate: float,
    regularization: float,
    init_std: float,
    seed: int,
) -> FactorRating:
    """Fit the head; the same seed and ratings in the same order give the same numbers.

    Raises:
        ValueError: the descent diverged.
    """
    trainset = ArrayTrainset(
        interactions.user_ids[interactions.users],
        interactions.movie_ids[interactions.movies],
        interactions.stars,
    )
    algorithm = surprise.SVD(
        n_factors=factors,
        n_epochs=epochs,
        lr_all=learning_rate,
        reg_all=regularization,
        init_std_dev=init_std,
        random_state=seed,
    ).fit(trainset)
    if not (np.isfinite(algorithm.pu).all() and np.isfinite(algorithm.qi).all()):
        raise ValueError(
            f"SVD diverged with learning_rate={learning_rate}: a smaller one was expected"
        )
    users = np.searchsorted(interactions.user_ids, trainset.raw_users)
    movies = np.searchsorted(interactions.movie_ids, trainset.raw_movies)
    n_users, n_movies = len(interactions.user_ids), len(interactions.movie_ids)
    return FactorRating(
        global_mean=float(trainset.global_mean),
        user_bias=_placed(algorithm.bu, users, n_users),
        movie_bias=_placed(algorithm.bi, movies, n_movies),
        user_factors=_placed(algorithm.pu, users, n_users),
        movie_factors=_placed(algorithm.qi, movies, n_movies),
        regularization=regularization,
    )


def _placed(values: Floats, rows: npt.NDArray[np.intp], size: int) -> Floats:
    """Put values at their rows of an array of zeros with `size` rows."""
    placed = np.zeros((size, *values.shape[1:]))
    placed[rows] = values
    return placed
