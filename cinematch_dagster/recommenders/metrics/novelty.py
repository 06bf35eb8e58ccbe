"""Novelty: how unlikely it is that a user knows what is listed."""

from __future__ import annotations

import numpy as np

from cinematch_dagster.recommenders.metrics.types import Counts, Lists, PerUser


def novelty(lists: Lists, movie_counts: Counts, n_users: int) -> PerUser:
    r"""Return the mean self-information :math:`-\log_2(c_i / U)` of a list in bits, (n_users,).

    With c_i of U users a movie's raters in training; a movie without any counts as having one. 0
    is a list of movies that every user has rated, 1 more is half as popular; an empty list is NaN
    (Zhou et al.: Solving the apparent diversity-accuracy dilemma of recommender systems, 2010).
    """
    bits = -np.log2(np.maximum(movie_counts, 1) / n_users)
    return mean_of_listed(bits, lists)


def mean_of_listed(values: PerUser, lists: Lists) -> PerUser:
    """Return the mean of the movies' values (n_movies,) over each list, NaN for an empty one."""
    listed = lists >= 0
    sums = np.where(listed, values[lists], 0.0).sum(axis=1)
    counts = listed.sum(axis=1)
    means = np.divide(sums, counts, out=np.full(len(lists), np.nan), where=counts > 0)
    return np.asarray(means)
