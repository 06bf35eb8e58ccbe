"""Cuts in time: the one place that decides which ratings are train and which are test."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cinematch_dagster.batches.frame import in_order, renumbered


def cut_by_time(frame: pd.DataFrame, share: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the oldest floor(n * share) rows, and the others; each in order."""
    ordered = in_order(frame)
    n_older = int(len(ordered) * share)
    return renumbered(ordered[:n_older]), renumbered(ordered[n_older:])


def split_by_time(frame: pd.DataFrame, train_share: float) -> pd.DataFrame:
    """Label the oldest floor(n * train_share) rows 'train' and the others 'test'.

    Returns:
        The frame in order with a categorical column `data_split`;
        max(train.timestamp) <= min(test.timestamp).
    """
    ordered = in_order(frame)
    is_test = np.ones(len(ordered), np.int64)
    is_test[: int(len(ordered) * train_share)] = 0
    # `assign` would copy the rest.
    ordered["data_split"] = pd.Categorical.from_codes(is_test, pd.Index(["train", "test"]))
    return ordered
