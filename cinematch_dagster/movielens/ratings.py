"""The ratings frame that every function here takes and returns, and what its values may be.

Columns userId int32, movieId int32, rating float32 (half stars, exact) and timestamp int64 (unix
seconds), in the order (timestamp, userId, movieId), index 0, 1, ….
"""

from __future__ import annotations

import time
from typing import Final

import pandas as pd

DTYPES: Final = {"userId": "int32", "movieId": "int32", "rating": "float32", "timestamp": "int64"}
COLUMNS: Final = list(DTYPES)
ORDER: Final = ["timestamp", "userId", "movieId"]
PAIR: Final = ["userId", "movieId"]

LOWEST: Final = 0.5
HIGHEST: Final = 5.0
STEP: Final = 0.5
LARGEST_ID: Final = 2**31 - 1
FIRST_TIMESTAMP: Final = 788_918_400  # 1995-01-01 UTC; MovieLens opened later
CLOCK_SKEW: Final = 86_400  # seconds that another machine's clock may run ahead


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows by (timestamp, userId, movieId), with a new index; other columns stay."""
    return frame.sort_values(ORDER, kind="stable", ignore_index=True)


def as_ratings(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a ratings frame of values that are known to fit its types."""
    return in_order(frame[COLUMNS].astype(DTYPES))


def is_id(values: pd.Series) -> pd.Series:
    """Tell which values are whole numbers from 0 to 2³¹ - 1."""
    return (values >= 0) & (values <= LARGEST_ID) & (values % 1 == 0)


def is_on_scale(values: pd.Series) -> pd.Series:
    """Tell which values are half stars from 0.5 to 5.0."""
    return (values >= LOWEST) & (values <= HIGHEST) & (values % STEP == 0)


def is_plausible_time(values: pd.Series) -> pd.Series:
    """Tell which values are whole unix seconds from 1995 on and not in the future."""
    newest = time.time() + CLOCK_SKEW
    return (values >= FIRST_TIMESTAMP) & (values <= newest) & (values % 1 == 0)


def has_half_stars(ratings: pd.DataFrame | pd.Series) -> bool:
    """Tell whether any rating is a half star.

    False for data of whole stars only (ml-100k, ml-1m, MovieLens before 2003-02-19): there the
    histogram has five bins in use instead of ten, so a step of the distribution is larger.

    Args:
        ratings: a ratings frame or its column `rating`.
    """
    stars = ratings["rating"] if isinstance(ratings, pd.DataFrame) else ratings
    return bool((stars % 1 != 0).any())
