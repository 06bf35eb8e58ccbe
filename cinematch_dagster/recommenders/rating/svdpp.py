"""The rating head `svdpp`: SVD that also learns from which movies a user rated at all."""

from __future__ import annotations

import numpy as np
import surprise

from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.rating.svd import Learnt, placed
from cinematch_dagster.recommenders.rating.trainset import ArrayTrainset
from serving.model.heads import FactorRating


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
