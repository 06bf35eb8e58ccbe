"""Ratings as counts on the half-star scale: all that the drift tests need to know of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from serving.base.scale import STARS, half_stars, is_on_scale

Histogram = NDArray[np.int64]
"""Counts of the ratings 0.5, 1.0, …, 5.0: int64, shape (10,); those of disjoint sets add up."""


def histogram(ratings: ArrayLike) -> Histogram:
    """Count ratings (any shape, any real dtype) by star value.

    Raises:
        ValueError: naming the first rating that is not one of 0.5, 1.0, …, 5.0 (NaN included).
    """
    flat = np.asarray(ratings, dtype=np.float64).ravel()
    off_scale = ~is_on_scale(flat)
    if off_scale.any():
        row = int(off_scale.argmax())
        raise ValueError(
            f"rating {flat[row]} in row {row} is off the scale: "
            "one of 0.5, 1.0, …, 5.0 was expected"
        )
    counts = np.bincount(half_stars(flat), minlength=len(STARS) + 1)
    return counts[1:].astype(np.int64)
