"""Choose movies that are good and unlike each other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

POOL = 5
"""Candidates for each place of a list."""


def diversify(
    scores: npt.NDArray[np.floating], genres: npt.NDArray[np.bool_], k: int, diversity: float
) -> npt.NDArray[np.intp]:
    """Return the positions of the k candidates chosen by maximal marginal relevance, best first.

    One after the other the candidate of the largest `(1 - d) * relevance - d * likeness` is taken:
    relevance is its score on a scale from 0 (worst candidate) to 1, likeness its largest share of
    common genres (Jaccard) with one taken already (Carbonell, Goldstein: The use of MMR, 1998).
    The chosen ones are given in the order of their scores.

    Args:
        scores: descending, (n,).
        genres: of each candidate, (n_genres, n).
        k: how many.
        diversity: d, from 0 (the k best) to 1 (scores decide between equally unlike ones only).
    """
    n = len(scores)
    spread = float(scores[0] - scores[-1]) if n else 0.0
    relevance = (scores - scores[-1]) / spread if spread > 0 else np.ones(n)
    flags = genres.T.astype(np.float32)
    common = flags @ flags.T
    sizes = flags.sum(axis=1)
    likeness = common / np.maximum(sizes[:, np.newaxis] + sizes - common, 1)
    closest = np.zeros(n)
    taken: list[int] = []
    for _ in range(min(k, n)):
        value = (1 - diversity) * relevance - diversity * closest
        value[taken] = -np.inf
        chosen = int(value.argmax())
        taken.append(chosen)
        closest = np.maximum(closest, likeness[chosen])
    return np.sort(np.array(taken, dtype=np.intp))
