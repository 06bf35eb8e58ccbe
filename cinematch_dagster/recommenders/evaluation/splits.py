"""Cuts of ratings for the protocols; the platform's own cut in time is `movielens.split`."""

from __future__ import annotations

import numpy as np
import pandas as pd


def halves(test: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return each user's earlier floor(n / 2) rows, the support, and the later ones, the target.

    Args:
        test: ratings frame, in time order within each user.
    """
    by_user = test.groupby("userId")["movieId"]
    earlier = (by_user.cumcount() < by_user.transform("size") // 2).to_numpy()
    return test[earlier], test[~earlier]


def random_split(
    ratings: pd.DataFrame, test_share: float, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return train and test rows drawn at random, for comparison with papers only.

    A test row's user has rated other movies after it, and the model has seen them: figures are
    better than any that a platform can have, and not what a promotion may rest on.
    """
    order = np.random.default_rng(seed).permutation(len(ratings))
    n_test = round(len(ratings) * test_share)
    return ratings.iloc[np.sort(order[n_test:])], ratings.iloc[np.sort(order[:n_test])]
