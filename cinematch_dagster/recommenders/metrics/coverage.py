"""Catalogue coverage: how much of the catalogue is ever shown."""

from __future__ import annotations

import numpy as np

from cinematch_dagster.recommenders.metrics.types import Lists


def coverage(lists: Lists, n_movies: int) -> float:
    """Return the share of a catalogue of `n_movies` that is in anybody's list.

    It grows with the number of users: compare models on the same users only.
    """
    return len(np.unique(lists[lists >= 0])) / n_movies
