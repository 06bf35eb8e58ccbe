"""Weights between movies, the strongest of each movie kept."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from serving.model.arrays import Reals


def strongest(weights: Reals, links: int) -> sp.csr_array:
    """Return the weights (n, m) as a sparse matrix with the `links` largest of each row in size."""
    n, m = weights.shape
    kept = min(links, m)
    columns = np.argpartition(-np.abs(weights), kept - 1, axis=1)[:, :kept]
    values = np.take_along_axis(weights, columns, axis=1)
    rows = np.repeat(np.arange(n), kept)
    found = sp.coo_array((values.ravel(), (rows, columns.ravel())), shape=(n, m)).tocsr()
    found.eliminate_zeros()
    found.sort_indices()
    return found
