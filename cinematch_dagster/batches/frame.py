"""The ratings frame that every function here takes and returns, and what its values may be.

Columns userId int32, movieId int32, rating float32 (half stars, exact) and timestamp int64 (unix
seconds), in the order (timestamp, userId, movieId), index 0, 1, ….
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from serving.base.scale import STEP

DTYPES: Final = {"userId": "int32", "movieId": "int32", "rating": "float32", "timestamp": "int64"}
COLUMNS: Final = list(DTYPES)
ORDER: Final = ["timestamp", "userId", "movieId"]
PAIR: Final = ["userId", "movieId"]

LARGEST_ID: Final = 2**31 - 1
USER_BITS: Final = 31
"""Bits of a pair's key below its userId."""
FIRST_TIMESTAMP: Final = 788_918_400  # 1995-01-01 UTC; MovieLens opened later
CLOCK_SKEW: Final = 86_400  # seconds that another machine's clock may run ahead


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows by (timestamp, userId, movieId), with a new index; other columns stay.

    Rows that are in order already are not copied: the result shares their memory.
    """
    times, users, movies = (frame[column].to_numpy() for column in ORDER)
    if _is_sorted([times, users, movies]):
        return renumbered(frame)
    order = np.lexsort((pair_keys(users, movies), times))
    return pd.DataFrame({name: frame[name].to_numpy()[order] for name in frame}, copy=False)


def renumbered(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows as they are with the index 0, 1, …; the result shares their memory."""
    shared = frame.copy(deep=False)
    shared.index = pd.RangeIndex(len(frame))
    return shared


def as_ratings(columns: pd.DataFrame | Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Return a ratings frame of values that are known to fit its types."""
    typed = {name: np.asarray(columns[name]).astype(DTYPES[name], copy=False) for name in COLUMNS}
    return in_order(pd.DataFrame(typed, copy=False))


def pair_keys(users: np.ndarray, movies: np.ndarray) -> np.ndarray:
    """Return one int64 for each pair of ids: userId · 2³¹ + movieId; -1 where the movie is -1.

    The shapes are the same, or one is broadcast to the other.
    """
    keys = users.astype(np.int64)
    keys <<= USER_BITS
    other = movies.astype(np.int64, copy=False)
    if keys.shape != other.shape:
        return np.asarray(keys | other)
    keys |= other
    return keys


def repeated(keys: np.ndarray) -> np.ndarray:
    """Return the keys that are there more than once; to sort keys alone is fast."""
    ordered = np.sort(keys)
    return np.unique(ordered[1:][ordered[1:] == ordered[:-1]])


def is_id(values: np.ndarray) -> np.ndarray:
    """Tell which values are whole numbers from 0 to 2³¹ - 1."""
    return np.asarray((values >= 0) & (values <= LARGEST_ID) & _is_whole(values))


def is_plausible_time(values: np.ndarray) -> np.ndarray:
    """Tell which values are whole unix seconds from 1995 on and not in the future."""
    newest = time.time() + CLOCK_SKEW
    return np.asarray((values >= FIRST_TIMESTAMP) & (values <= newest) & _is_whole(values))


def has_half_stars(ratings: pd.DataFrame | pd.Series) -> bool:
    """Tell whether any rating is a half star.

    False for data of whole stars only (ml-100k, ml-1m, MovieLens before 2003-02-19): there the
    histogram has five bins in use instead of ten, so a step of the distribution is larger.

    Args:
        ratings: a ratings frame or its column `rating`.
    """
    stars = ratings["rating"] if isinstance(ratings, pd.DataFrame) else ratings
    return bool((stars % 1 == STEP).any())


def _is_whole(values: np.ndarray) -> np.ndarray | bool:
    return bool(np.issubdtype(values.dtype, np.integer)) or np.asarray(np.rint(values) == values)


def _is_sorted(keys: list[np.ndarray]) -> bool:
    """Tell whether rows are by the first key, ties by the second, and so on."""
    rows: slice | np.ndarray = slice(0, max(0, len(keys[0]) - 1))
    for key in keys:
        here, after = key[rows], key[1:][rows]
        if (here > after).any():
            return False
        tied = np.flatnonzero(here == after)
        rows = tied if isinstance(rows, slice) else rows[tied]
    return True
