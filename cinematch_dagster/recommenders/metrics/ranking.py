"""How many of the first k recommendations are relevant, over the whole catalogue."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def hits_at_k(
    scores: npt.NDArray[np.float32], relevant: npt.NDArray[np.bool_], k: int
) -> npt.NDArray[np.int64]:
    """Count each user's relevant movies among the k highest scores, (n_users,).

    Args:
        scores: (n_users, n_movies); -inf marks what is not a candidate and never counts.
        relevant: (n_users, n_movies).
        k: length of the list; a shorter catalogue is a shorter list.
    """
    k = min(k, scores.shape[1])
    top = np.argpartition(scores, scores.shape[1] - k, axis=1)[:, scores.shape[1] - k :]
    candidate = np.isfinite(np.take_along_axis(scores, top, axis=1))
    hits = np.take_along_axis(relevant, top, axis=1) & candidate
    return np.asarray(hits.sum(axis=1), dtype=np.int64)
