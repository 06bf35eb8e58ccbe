"""Normalized discounted cumulative gain: hits, and those near the top count more."""

from __future__ import annotations

import numpy as np

from cinematch_dagster.recommenders.metrics.types import Counts, Hits, PerUser


def ndcg(hits: Hits, relevant: Counts) -> PerUser:
    r"""Return DCG / IDCG with binary gains, (n_users,).

    :math:`DCG = \sum_{i=1}^{k} hit_i / \log_2(i + 1)`; IDCG is that of a list with
    min(k, relevant) hits at its top (Järvelin, Kekäläinen: Cumulated gain-based evaluation, 2002).
    """
    k = hits.shape[1]
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate(([0.0], np.cumsum(discounts)))
    scores: PerUser = hits @ discounts / ideal[np.minimum(relevant, k)]
    return scores
