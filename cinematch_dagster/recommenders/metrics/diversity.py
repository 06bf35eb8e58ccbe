"""Intra-list diversity: how little the movies of one list resemble each other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cinematch_dagster.recommenders.metrics.types import Lists, PerUser


def diversity(lists: Lists, vectors: npt.NDArray[np.floating]) -> PerUser:
    r"""Return 1 minus the mean cosine of a list's pairs of movies, (n_users,).

    Computed from the sum of the unit vectors v: :math:`\sum_{i \ne j} v_i v_j = |\sum v|^2 -
    \sum |v|^2`. A movie whose vector is zero resembles nothing. A list with fewer than two movies
    is NaN (Ziegler et al.: Improving recommendation lists through topic diversification, 2005).

    Args:
        lists: rows of `vectors`.
        vectors: of the catalogue, (n_movies, g): memberships of genres, or factors.
    """
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, norms, out=np.zeros(vectors.shape), where=norms > 0)
    listed = lists >= 0
    own = np.where(listed, (norms[:, 0] > 0)[lists], False).sum(axis=1)
    sums = np.where(listed[..., np.newaxis], unit[lists], 0.0).sum(axis=1)
    sizes = listed.sum(axis=1)
    pairs = sizes * (sizes - 1)
    cosines = np.einsum("ng,ng->n", sums, sums) - own
    means = np.divide(cosines, pairs, out=np.full(len(lists), np.nan), where=pairs > 0)
    return np.asarray(1.0 - means)
