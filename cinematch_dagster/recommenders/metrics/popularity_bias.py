"""Popularity bias: how much more popular what is listed is than what users rate."""

from __future__ import annotations

import numpy as np

from cinematch_dagster.recommenders.metrics.novelty import mean_of_listed
from cinematch_dagster.recommenders.metrics.types import Counts, Lists, PerUser


def popularity_bias(lists: Lists, movie_counts: Counts) -> PerUser:
    r"""Return the mean count of the listed over that of a training rating's movie, (n_users,).

    The latter is :math:`\sum_i c_i^2 / \sum_i c_i`: draw a rating, and ask how many its movie has.
    1 is as popular as what users rate, 2 twice as popular; an empty list is NaN.
    """
    counts = movie_counts.astype(float)
    expected = float(counts @ counts / counts.sum())
    return np.asarray(mean_of_listed(counts, lists) / expected)
