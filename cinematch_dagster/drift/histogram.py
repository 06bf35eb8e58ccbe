"""Ratings as counts on the half-star scale: all that the drift tests need to know of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Histogram = NDArray[np.int64]
"""Counts of the ratings 0.5, 1.0, …, 5.0: int64, shape (10,); those of disjoint sets add up."""

STARS: NDArray[np.float64] = np.arange(1, 11) / 2
STARS.setflags(write=False)


def histogram(ratings: ArrayLike) -> Histogram:
    """Count ratings (any shape, any real dtype) by star value.

    Raises:
        ValueError: naming the first rating that is not one of 0.5, 1.0, …, 5.0 (NaN included).
    """
    half_stars = np.asarray(ratings, dtype=np.float64).ravel() * 2
    off_scale = (half_stars != np.rint(half_stars)) | (half_stars < 1) | (half_stars > len(STARS))
    if off_scale.any():
        row = int(off_scale.argmax())
        raise ValueError(
            f"rating {half_stars[row] / 2} in row {row} is off the scale: "
            "one of 0.5, 1.0, …, 5.0 was expected"
        )
    counts = np.bincount(half_stars.astype(np.intp), minlength=len(STARS) + 1)
    return counts[1:].astype(np.int64)
