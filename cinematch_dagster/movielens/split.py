"""Cuts in time: the one place that decides which ratings are train and which are test."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cinematch_dagster.movielens.ratings import in_order


def cut_by_time(frame: pd.DataFrame, share: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the oldest floor(n * share) rows, and the others; each in order."""
    ordered = in_order(frame)
    n_older = int(len(ordered) * share)
    return ordered[:n_older], ordered[n_older:].reset_index(drop=True)


def split_by_time(frame: pd.DataFrame, train_share: float) -> pd.DataFrame:
    """Label the oldest floor(n * train_share) rows 'train' and the others 'test'.

    Returns:
        The frame in order with a column `data_split`; max(train.timestamp) <= min(test.timestamp).
    """
    ordered = in_order(frame)
    is_train = np.arange(len(ordered)) < int(len(ordered) * train_share)
    return ordered.assign(data_split=np.where(is_train, "train", "test").astype(object))
