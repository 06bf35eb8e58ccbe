"""From ids to rows of sorted arrays."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
import numpy.typing as npt


def find(ids: npt.NDArray[np.int32], wanted: int) -> int:
    """Return the row of an id in the ascending `ids`, or -1."""
    row = bisect_left(ids, wanted)
    return row if row < len(ids) and ids[row] == wanted else -1


def find_all(ids: npt.NDArray[np.int32], wanted: npt.NDArray[np.integer]) -> npt.NDArray[np.intp]:
    """Return the rows of many ids in the ascending `ids`, -1 for those that aren't there."""
    rows = np.searchsorted(ids, wanted)
    rows[rows == len(ids)] = 0
    rows[ids[rows] != wanted] = -1
    return rows
