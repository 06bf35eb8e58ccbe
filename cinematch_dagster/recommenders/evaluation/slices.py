"""Parts of a test that mean something: what the model knew of the user and of the movie."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

Mask = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]

ACTIVITY_EDGES = (1, 5, 20, 100, 500)
"""Where bands of users begin, by ratings known of them."""
HEAD_SHARE, MIDDLE_SHARE = 0.5, 0.3
"""Shares of all known ratings that the head and the middle of the catalogue have."""


def slice_masks(
    target: pd.DataFrame, trained: pd.DataFrame, known: pd.DataFrame
) -> dict[str, Mask]:
    """Return the rows of each slice by its name, masks (n,); slices of a kind don't overlap.

    `all`; `warm`: user and movie have a training rating; `cold_user`, `cold_movie`: without one,
    possibly both; `activity_...`: by the number of ratings known of the user; `popularity_...`: the
    most rated movies that have half of the known ratings, those that have the next 30 %, and the
    tail of all others, never rated ones included.

    Args:
        target: the rows that are predicted.
        trained: the ratings at the cut.
        known: those and what was folded in since.
    """
    cold_user = counts_of(trained["userId"], target["userId"]) == 0
    cold_movie = counts_of(trained["movieId"], target["movieId"]) == 0
    return {
        "all": np.full(len(target), True),
        "warm": ~cold_user & ~cold_movie,
        "cold_user": cold_user,
        "cold_movie": cold_movie,
        **dict(_activity(counts_of(known["userId"], target["userId"]))),
        **dict(_popularity(trained["movieId"], target["movieId"])),
    }


def counts_of(known: pd.Series[int], wanted: pd.Series[int]) -> Counts:
    """Count how often each wanted id is among the known, (n_wanted,)."""
    return np.asarray(wanted.map(known.value_counts()).fillna(0), dtype=np.int64)


def _activity(counts: Counts) -> Iterator[tuple[str, Mask]]:
    for first, after in zip(ACTIVITY_EDGES, (*ACTIVITY_EDGES[1:], None), strict=True):
        if after is None:
            yield f"activity_{first}_and_more", counts >= first
        else:
            yield f"activity_{first}_to_{after - 1}", (counts >= first) & (counts < after)


def _popularity(known: pd.Series[int], wanted: pd.Series[int]) -> Iterator[tuple[str, Mask]]:
    """Cut the catalogue by cumulative share of ratings, the most rated first, then the lower id."""
    counts = known.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    before = (counts.cumsum() - counts) / max(len(known), 1)
    share = wanted.map(before).fillna(1.0).to_numpy()
    head, middle = share < HEAD_SHARE, share < HEAD_SHARE + MIDDLE_SHARE
    yield "popularity_head", head
    yield "popularity_middle", middle & ~head
    yield "popularity_tail", ~middle
