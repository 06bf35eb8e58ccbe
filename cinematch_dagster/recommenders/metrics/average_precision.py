"""Average precision; its mean over users is MAP."""

from __future__ import annotations

import numpy as np

from cinematch_dagster.recommenders.metrics.types import Counts, Hits, PerUser


def average_precision(hits: Hits, relevant: Counts) -> PerUser:
    """Return the precision at the place of each hit, summed and divided by relevant, (n_users,).

    As trec_eval's `map_cut`: what isn't found among the k adds nothing, so that with more than k
    relevant movies 1 is out of reach.
    """
    places = np.arange(1, hits.shape[1] + 1)
    precisions = np.cumsum(hits, axis=1) / places
    return np.asarray((precisions * hits).sum(axis=1) / relevant)
