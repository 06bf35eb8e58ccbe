"""Orders over the catalogue: the best of many scores, and the liked movie nearest to each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]


def best(scores: Floats, k: int) -> Rows:
    """Return the rows of the k highest scores, best first, leaving out -inf (never recommended).

    Among equal scores the lower row comes first, so the best ten are the head of the best hundred.
    """
    allowed = np.flatnonzero(np.isfinite(scores))  # partition is slow among many equal values
    among = scores[allowed]
    k = min(k, len(among))
    if k == 0:
        return allowed[:0]
    lowest = np.partition(among, len(among) - k)[len(among) - k]
    above = np.flatnonzero(among > lowest)
    level = np.flatnonzero(among == lowest)[: k - len(above)]
    chosen = allowed[np.concatenate((above, level))]
    return np.asarray(chosen[np.lexsort((chosen, -scores[chosen]))])


def nearest(ranked: Floats, liked: Floats) -> Rows:
    """Return for each pick (k, g) the position of the liked movie (n, g) of the highest cosine.

    -1 where no cosine is positive.
    """
    if len(liked) == 0:
        return np.full(len(ranked), -1, dtype=np.intp)
    cosines = unit(ranked) @ unit(liked).T
    closest = cosines.argmax(axis=1)
    return np.where(cosines.max(axis=1) > 0, closest, -1)


def unit(rows: Floats) -> Floats:
    """Return rows of length 1; zeros stay zeros."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(norms, np.finfo(np.float32).tiny), dtype=np.float32)
