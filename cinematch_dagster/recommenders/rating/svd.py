"""The rating head `svd`: biased matrix factorization by stochastic gradient descent."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import Field

from cinematch_dagster.recommenders.algorithm import Range, RatingAlgorithm
from cinematch_dagster.recommenders.errors import DivergedError

if TYPE_CHECKING:
    from cinematch_dagster.recommenders.interactions import Interactions
    from cinematch_dagster.recommenders.rating.trainset import ArrayTrainset
    from serving.model.heads import FactorRating

Engine = Literal["auto", "surprise", "compiled"]
Floats = npt.NDArray[np.floating]

COMPILED_FROM = 1_000_000
"""Ratings from which the engine `auto` is the compiled one."""


class Svd(RatingAlgorithm):
    """Mean, biases and a product of factors; the arguments of `fit_svd`."""

    algorithm: Literal["svd"] = "svd"
    factors: int = Field(100, ge=1)
    epochs: int = Field(70, ge=1)
    learning_rate: float = Field(0.0035, gt=0)
    regularization: float = Field(0.042, gt=0)
    init_std: float = Field(0.01, gt=0)
    engine: Engine = "auto"

    search: ClassVar = {
        "factors": Range(20, 200),
        "epochs": Range(20, 120),
        "learning_rate": Range(0.001, 0.01, log=True),
        "regularization": Range(0.01, 0.2, log=True),
    }

    def fit(self, interactions: Interactions, seed: int) -> FactorRating:
        """Fit the head."""
        return fit_svd(interactions, seed=seed, **self.hyperparameters)


class Learnt(NamedTuple):
    """Biases and factors by inner id of the training set."""

    user_bias: Floats
    movie_bias: Floats
    user_factors: Floats
    movie_factors: Floats


def fit_svd(
    interactions: Interactions,
    *,
    factors: int,
    epochs: int,
    learning_rate: float,
    regularization: float,
    init_std: float,
    seed: int,
    engine: Engine = "surprise",
) -> FactorRating:
    """Fit the head; the same seed and ratings in the same order give the same numbers.

    Args:
        interactions: the ratings.
        factors: of each user and movie.
        epochs: passes over the ratings.
        learning_rate: step size.
        regularization: L2 penalty per rating.
        init_std: spread of the initial factors.
        seed: of the initial factors.
        engine: Surprise's own loop, or the same one compiled in single precision; `auto` is the
            compiled one from `COMPILED_FROM` ratings.

    Raises:
        DivergedError: the steps were too long.
    """
    from cinematch_dagster.recommenders.rating.trainset import ArrayTrainset

    trainset = ArrayTrainset.of(interactions)
    if engine == "compiled" or (engine == "auto" and trainset.n_ratings >= COMPILED_FROM):
        from cinematch_dagster.recommenders.rating.compiled_svd import descend

        learnt = Learnt(
            *descend(
                trainset, factors, epochs, learning_rate, regularization, init_std, seed, "float32"
            )
        )
    else:
        import surprise

        algorithm = surprise.SVD(
            n_factors=factors,
            n_epochs=epochs,
            lr_all=learning_rate,
            reg_all=regularization,
            init_std_dev=init_std,
            random_state=seed,
        ).fit(trainset)
        learnt = Learnt(algorithm.bu, algorithm.bi, algorithm.pu, algorithm.qi)
    return placed(learnt, trainset, interactions, regularization)


def placed(
    learnt: Learnt, trainset: ArrayTrainset, interactions: Interactions, regularization: float
) -> FactorRating:
    """Return the head, its rows those of the interactions; an unrated movie has zeros.

    Raises:
        DivergedError: some factors are no numbers.
    """
    from serving.model.heads import FactorRating

    if not (np.isfinite(learnt.user_factors).all() and np.isfinite(learnt.movie_factors).all()):
        raise DivergedError("the descent diverged: a smaller learning rate was expected")
    users, movies = interactions.user_ids, interactions.movie_ids
    return FactorRating(
        global_mean=float(trainset.global_mean),
        regularization=regularization,
        user_bias=trainset.users_in(users, learnt.user_bias),
        user_factors=trainset.users_in(users, learnt.user_factors),
        movie_bias=trainset.movies_in(movies, learnt.movie_bias),
        movie_factors=trainset.movies_in(movies, learnt.movie_factors),
    )
