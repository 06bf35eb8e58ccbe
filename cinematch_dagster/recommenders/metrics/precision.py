"""Precision and recall: how many of the first k are relevant, of k and of what there is to find."""

from __future__ import annotations

import numpy as np

from cinematch_dagster.recommenders.metrics.types import Counts, Hits, PerUser


def precision(hits: Hits) -> PerUser:
    """Return hits / k, (n_users,); a list that is shorter than k still counts as k places."""
    return np.asarray(hits.sum(axis=1) / hits.shape[1])


def recall(hits: Hits, relevant: Counts) -> PerUser:
    """Return hits / relevant, (n_users,); with more than k relevant movies 1 is out of reach."""
    return np.asarray(hits.sum(axis=1) / relevant)
