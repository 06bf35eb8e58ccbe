"""Sets of pairs of user and movie, each pair a single integer, so that numpy compares them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from cinematch_dagster.batches.frame import pair_keys

Keys = npt.NDArray[np.int64]


def keys_of(ratings: pd.DataFrame) -> Keys:
    """Return the pairs of a ratings frame, (n,)."""
    return pair_keys(ratings["userId"].to_numpy(), ratings["movieId"].to_numpy())


def unrated(ratings: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a ratings frame whose pair is not among the known ones."""
    return ratings[~among(keys_of(ratings), keys_of(known))]


def distinct(keys: Keys) -> Keys:
    """Return each key once, ascending (numpy's own hash is slow on keys that end alike)."""
    return np.sort(pd.unique(keys))


def among(keys: npt.NDArray[np.integer], others: Keys) -> npt.NDArray[np.bool_]:
    """Return which keys are among the others, in the shape of `keys`."""
    return np.asarray(pd.Index(keys.ravel()).isin(others)).reshape(keys.shape)
