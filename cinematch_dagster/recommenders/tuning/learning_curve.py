"""The rating head's learning curve: what more passes over the ratings bring."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from cinematch_dagster.recommenders.fit import Trained
from cinematch_dagster.recommenders.metrics import rmse
from cinematch_dagster.recommenders.scorer import scorer
from serving.model.heads import RatingHead

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


def learning_curve(trained: Trained, test: pd.DataFrame) -> Curve | None:
    """Fit the rating head again with an eighth, a quarter and a half of its passes.

    That costs as much again as 7/8 of its fit. The last point is the trained head's own. None for
    a head that makes no passes.

    Args:
        trained: the model.
        test: ratings frame that it was not trained on, with at least one row.
    """
    h, curve = trained.hyperparameters, Curve({}, {})
    if (passes := h.rating.hyperparameters.get("epochs")) is None:
        return None
    for epochs in sorted({max(1, int(passes * share)) for share in _FRACTIONS}):
        shorter = h.rating.model_copy(update={"epochs": epochs})
        head = shorter.fit(trained.interactions, h.seed)
        _measure(curve, epochs, trained.cold_start.into(head), trained, test)
    _measure(curve, passes, trained.rating, trained, test)
    return curve


def _measure(
    curve: Curve, epochs: int, head: RatingHead, trained: Trained, test: pd.DataFrame
) -> None:
    """Add a head's errors to the curve."""
    known = trained.interactions
    served = scorer(known, head, trained.ranking)
    train = known.user_ids[known.users], known.movie_ids[known.movies]
    curve.train[epochs] = rmse(known.stars, served.predict(*train))
    pairs = test["userId"].to_numpy(), test["movieId"].to_numpy()
    curve.test[epochs] = rmse(test["rating"].to_numpy(), served.predict(*pairs))
