"""Checks of a batch against what is known already; each returns its finding, or None.

The data may be right all the same, so a finding is a warning and does not refuse the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from cinematch_dagster.batches.frame import PAIR, pair_keys

FEWEST_WEEKS: Final = 2  # earlier weeks without which nothing is usual


def unknown_movies(ratings: pd.DataFrame, known: np.ndarray) -> str | None:
    """Find ratings of movies that are not among the known ids."""
    is_unknown = ~ratings["movieId"].isin(known)
    if not is_unknown.any():
        return None
    row = int(is_unknown.to_numpy().argmax())
    return (
        f"column movieId: {int(is_unknown.sum())} ratings of "
        f"{ratings.loc[is_unknown, 'movieId'].nunique()} unknown movies, "
        f"first row {row}: {ratings['movieId'].iloc[row]}"
    )


def known_pairs(ratings: pd.DataFrame, others: pd.DataFrame) -> str | None:
    """Find pairs of a user and a movie that other batches in the buffer rated too.

    Args:
        ratings: ratings frame of the batch.
        others: columns userId, movieId of the other batches.
    """
    here, there = (
        pair_keys(frame["userId"].to_numpy(), frame["movieId"].to_numpy())
        for frame in (ratings, others)
    )
    is_known = np.isin(here, there)
    if not is_known.any():
        return None
    row = int(is_known.argmax())
    user, movie = ratings[PAIR].iloc[row]
    return (
        f"columns userId, movieId: {int(is_known.sum())} pairs were rated in an earlier batch "
        f"or a later one, first row {row}: {user}, {movie}"
    )


def unusual_row_count(n_rows: int, recent: Sequence[int], factor: float = 5.0) -> str | None:
    """Find a number of rows more than `factor` times the median of recent weeks, or less.

    With fewer than two recent weeks nothing is found.
    """
    if len(recent) < FEWEST_WEEKS:
        return None
    usual = float(np.median(recent))
    if usual / factor <= n_rows <= usual * factor:
        return None
    return (
        f"{n_rows} rows, expected about {usual:.0f}, the median of the last {len(recent)} weeks: "
        f"from {usual / factor:.0f} to {usual * factor:.0f}"
    )


def none_held_out(n_rows: int, held_out: int, share: float) -> str | None:
    """Find that no rating of a batch is held out, since the share of so few is less than one."""
    if held_out:
        return None
    return (
        f"none of {n_rows} ratings is held out for comparing models: {share:.0%} of them is less "
        "than one"
    )


def outside_window(
    ratings: pd.DataFrame, after: int | None = None, before: int | None = None
) -> str | None:
    """Find ratings whose time belongs to an earlier or a later week.

    Args:
        ratings: ratings frame of the batch.
        after: the latest timestamp of the weeks before, None if there is none.
        before: the earliest timestamp of the weeks after, None if there is none.
    """
    time = ratings["timestamp"]
    is_outside = pd.Series(False, index=ratings.index)
    if after is not None:
        is_outside |= time < after
    if before is not None:
        is_outside |= time > before
    if not is_outside.any():
        return None
    row = int(is_outside.to_numpy().argmax())
    return (
        f"column timestamp: {int(is_outside.sum())} ratings of another week, "
        f"first row {row}: {time.iloc[row]}, expected {_window(after, before)}"
    )


def _window(after: int | None, before: int | None) -> str:
    bounds = [f"{after} or later" if after is not None else ""]
    bounds.append(f"{before} or earlier" if before is not None else "")
    return ", ".join(filter(None, bounds))
