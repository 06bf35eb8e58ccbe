"""The scale of the ratings: half stars from 0.5 to 5.0."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

LOWEST: Final = 0.5
HIGHEST: Final = 5.0
STEP: Final = 0.5
LIKED: Final = 4.0
"""A rating of at least this says that the user liked the movie; such a movie is relevant."""

STARS: Final[npt.NDArray[np.float64]] = np.arange(LOWEST, HIGHEST + STEP, STEP)
"""The values 0.5, 1.0, …, 5.0: float64, shape (10,), read-only."""
STARS.setflags(write=False)


def half_stars(stars: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    """Return ratings of any shape as numbers of half stars, 1 to 10; all must be on the scale."""
    return np.rint(np.asarray(stars) / STEP).astype(np.uint8)


def is_on_scale(stars: npt.NDArray[np.number]) -> npt.NDArray[np.bool_]:
    """Tell which values are half stars from 0.5 to 5.0; NaN is not."""
    steps = stars / STEP
    return np.asarray((stars >= LOWEST) & (stars <= HIGHEST) & (np.rint(steps) == steps))
