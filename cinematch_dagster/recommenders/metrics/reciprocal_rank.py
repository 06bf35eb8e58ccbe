"""Reciprocal rank; its mean over users is MRR."""

from __future__ import annotations

import numpy as np

from cinematch_dagster.recommenders.metrics.types import Hits, PerUser


def reciprocal_rank(hits: Hits) -> PerUser:
    """Return 1 / place of the first hit, 0 without one among the k, (n_users,)."""
    return np.where(hits.any(axis=1), 1.0 / (hits.argmax(axis=1) + 1), 0.0)
