"""Hit; its mean over users is the hit rate."""

from __future__ import annotations

from cinematch_dagster.recommenders.metrics.types import Hits, PerUser


def hit(hits: Hits) -> PerUser:
    """Return 1 for a list with at least one relevant movie, else 0, (n_users,)."""
    return hits.any(axis=1).astype(float)
