"""Surprise's stochastic gradient descent for SVD, compiled by numba over flat arrays.

The initial factors and the order of the ratings are Surprise's, so that double precision gives
the same bits; single precision with reassociated sums is several times faster.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numba
import numpy as np
import numpy.typing as npt

from cinematch_dagster.recommenders.rating.trainset import ArrayTrainset

Precision = Literal["float32", "float64"]
Floats = npt.NDArray[np.floating]


def descend(
    trainset: ArrayTrainset,
    factors: int,
    epochs: int,
    learning_rate: float,
    regularization: float,
    init_std: float,
    seed: int,
    precision: Precision,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return user biases, movie biases, user factors and movie factors, by inner id.

    Args are those of `fit_svd`; `precision` is the width of all numbers.
    """
    random = np.random.RandomState(seed)  # as Surprise draws
    user_factors = random.normal(0.0, init_std, (trainset.n_users, factors)).astype(precision)
    movie_factors = random.normal(0.0, init_std, (trainset.n_items, factors)).astype(precision)
    user_bias = np.zeros(trainset.n_users, dtype=precision)
    movie_bias = np.zeros(trainset.n_items, dtype=precision)
    number = np.dtype(precision).type
    _compiled(precision)(
        trainset.ur.offsets,
        trainset.ur.others.astype(np.int32),
        trainset.ur.ratings.astype(precision),
        number(trainset.global_mean),
        user_bias,
        movie_bias,
        user_factors,
        movie_factors,
        epochs,
        number(learning_rate),
        number(regularization),
    )
    return user_bias, movie_bias, user_factors, movie_factors


def _compiled(precision: Precision) -> Callable[..., None]:
    """Compile, from numba's cache where a folder for it can be written.

    Only one precision is compiled with reassociation, so that the cache, which knows the types
    of arguments but not the options, never mixes the two up.
    """
    options: dict[str, Any] = {"fastmath": precision == "float32", "error_model": "numpy"}
    try:
        compiled: Callable[..., None] = numba.njit(cache=True, **options)(_epochs)
    except RuntimeError:  # no folder: neither beside this file nor in the user's cache
        compiled = numba.njit(**options)(_epochs)
    return compiled


def _epochs(
    offsets: Any,
    movies: Any,
    ratings: Any,
    mean: Any,
    user_bias: Any,
    movie_bias: Any,
    user_factors: Any,
    movie_factors: Any,
    epochs: int,
    rate: Any,
    penalty: Any,
) -> None:
    """Change biases and factors in place; ratings are visited user by user."""
    n_factors = user_factors.shape[1]
    for _ in range(epochs):
        for user in range(len(offsets) - 1):
            p = user_factors[user]
            for place in range(offsets[user], offsets[user + 1]):
                movie = movies[place]
                q = movie_factors[movie]
                dot = mean * 0
                for f in range(n_factors):
                    dot += q[f] * p[f]
                error = ratings[place] - (mean + user_bias[user] + movie_bias[movie] + dot)
                user_bias[user] += rate * (error - penalty * user_bias[user])
                movie_bias[movie] += rate * (error - penalty * movie_bias[movie])
                for f in range(n_factors):
                    mine, its = p[f], q[f]
                    p[f] += rate * (error * its - penalty * mine)
                    q[f] += rate * (error * mine - penalty * its)
