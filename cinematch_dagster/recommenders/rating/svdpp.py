"""The rating head `svdpp`: SVD that also learns from which movies a user rated at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from cinematch_dagster.recommenders.algorithm import Range, RatingAlgorithm
from cinematch_dagster.recommenders.rating.svd import Learnt, placed

if TYPE_CHECKING:
    from cinematch_dagster.recommenders.interactions import Interactions
    from serving.model.heads import FactorRating


class Svdpp(RatingAlgorithm):
    """SVD, and which movies a user rated; the arguments of `fit_svdpp`."""

    algorithm: Literal["svdpp"] = "svdpp"
    factors: int = Field(20, ge=1)
    epochs: int = Field(20, ge=1)
    learning_rate: float = Field(0.007, gt=0)
    regularization: float = Field(0.02, gt=0)
    init_std: float = Field(0.01, gt=0)

    search: ClassVar = {
        "factors": Range(10, 60),
        "epochs": Range(10, 40),
        "learning_rate": Range(0.002, 0.02, log=True),
        "regularization": Range(0.005, 0.1, log=True),
    }

    def fit(self, interactions: Interactions, seed: int) -> FactorRating:
        """Fit the head."""
        return fit_svdpp(interactions, seed=seed, **self.hyperparameters)


def fit_svdpp(
    interactions: Interactions,
    *,
    factors: int,
    epochs: int,
    learning_rate: float,
    regularization: float,
    init_std: float,
    seed: int,
) -> FactorRating:
    r"""Fit Surprise's `SVDpp`; arguments are those of `fit_svd`.

    A user's vector becomes :math:`p_u + |I_u|^{-1/2} \sum_{j \in I_u} y_j`, which is all that the
    prediction needs (Koren: Factorization meets the neighborhood, 2008). The time grows with the
    square of a user's ratings.
    """
    import surprise

    from cinematch_dagster.recommenders.rating.trainset import ArrayTrainset

    trainset = ArrayTrainset.of(interactions)
    algorithm = surprise.SVDpp(
        n_factors=factors,
        n_epochs=epochs,
        lr_all=learning_rate,
        reg_all=regularization,
        init_std_dev=init_std,
        random_state=seed,
    ).fit(trainset)
    rows = trainset.ur
    counts = np.diff(rows.offsets)
    implicit = np.add.reduceat(algorithm.yj[rows.others], rows.offsets[:-1], axis=0)
    users = algorithm.pu + implicit / np.sqrt(counts)[:, np.newaxis]
    learnt = Learnt(algorithm.bu, algorithm.bi, users, algorithm.qi)
    return placed(learnt, trainset, interactions, regularization)
