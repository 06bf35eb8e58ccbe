"""The k best of a block of scores."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cinematch_dagster.recommenders.metrics.types import Lists

_SIGN, _LOW = np.uint32(1 << 31), np.uint64(0xFFFF_FFFF)


def top_k(scores: npt.NDArray[np.float32], k: int) -> Lists:
    """Return the rows of the k highest scores of each user, best first, (n_users, k).

    Among equal scores the lower row comes first, so that a list never depends on the order in
    which numbers were computed or on the other users of the block.

    Args:
        scores: (n_users, n_movies); -inf is never a candidate, and -1 pads where they run out.
        k: length of the lists.

    Raises:
        ValueError: a score is missing (NaN).
    """
    missing = int(np.isnan(scores).sum())
    if missing:
        raise ValueError(f"{missing} of {scores.size} scores are missing: numbers were expected")
    keys = _keys(scores)
    width = min(k, scores.shape[1])
    first = scores.shape[1] - width
    best = np.sort(np.partition(keys, first, axis=1)[:, first:], axis=1)[:, ::-1]
    rows = (_LOW - (best & _LOW)).astype(np.intp)
    rows[np.isneginf(np.take_along_axis(scores, rows, axis=1))] = -1
    return np.pad(rows, ((0, 0), (0, k - width)), constant_values=-1)


def _keys(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.uint64]:
    """Return integers in the order of (score, -row): no two of a user are equal.

    The bits of a positive float grow with it, those of a negative one shrink. -0 becomes 0.
    """
    bits = (scores + np.float32(0.0)).view(np.uint32)
    ordered = np.where(bits & _SIGN, ~bits, bits | _SIGN).astype(np.uint64)
    keys: npt.NDArray[np.uint64] = ordered << np.uint64(32)
    keys |= _LOW - np.arange(scores.shape[1], dtype=np.uint64)
    return keys
