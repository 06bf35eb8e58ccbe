"""The rating head's learning curve: what more passes over the ratings bring."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cinematch_dagster.recommenders.algorithms import RATING_HEADS
from cinematch_dagster.recommenders.fit import Trained
from cinematch_dagster.recommenders.metrics import rmse
from cinematch_dagster.recommenders.trainset import RATING_SCALE
from serving.heads import RatingHead
from serving.lookup import find_all

_FRACTIONS = (0.125, 0.25, 0.5)


@dataclass(frozen=True)
class Curve:
    """RMSE in stars by passes over the ratings.

    Attributes:
        train: on the ratings trained on.
        test: on ratings that were not.
    """

    train: dict[int, float]
    test: dict[int, float]


def learning_curve(trained: Trained, test: pd.DataFrame) -> Curve:
    """Fit the rating head `svd` again with an eighth, a quarter and a half of its passes.

    That costs as much again as 7/8 of its fit. The last point is the trained head's own.

    Args:
        trained: the model.
        test: ratings frame that it was not trained on, with at least one row.
    """
    h, curve = trained.hyperparameters, Curve({}, {})
    for epochs in sorted({max(1, int(h.svd_epochs * share)) for share in _FRACTIONS}):
        head = RATING_HEADS[h.rating_head](trained.interactions, replace(h, svd_epochs=epochs))
        _measure(curve, epochs, head, trained, test)
    _measure(curve, h.svd_epochs, trained.rating, trained, test)
    return curve


def _measure(
    curve: Curve, epochs: int, head: RatingHead, trained: Trained, test: pd.DataFrame
) -> None:
    """Add a head's errors to the curve."""
    interactions = trained.interactions
    users = find_all(interactions.user_ids, test["userId"].to_numpy())
    movies = find_all(interactions.movie_ids, test["movieId"].to_numpy())
    for side, owners, rated, stars in (
        (curve.train, interactions.users, interactions.movies, interactions.stars),
        (curve.test, users, movies, test["rating"].to_numpy()),
    ):
        predicted = np.clip(head.predict(interactions.profiles, owners, rated), *RATING_SCALE)
        side[epochs] = rmse(stars, predicted)
