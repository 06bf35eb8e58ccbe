"""What the protocols give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Interval(NamedTuple):
    """Bounds of a bootstrap interval."""

    low: float
    high: float


@dataclass(frozen=True)
class RatingScores:
    """Errors of predicted stars.

    Attributes:
        rmse: in stars.
        mae: in stars.
        rows: ratings predicted.
        squared: sum of squared errors of each user, ascending by id, (n,); empty where no user
            counted them.
        counts: ratings of each of these users, (n,).
    """

    rmse: float
    mae: float
    rows: int
    squared: Floats = field(default_factory=lambda: np.empty(0))
    counts: Floats = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True)
class RankingScores:
    """Quality of ten-movie lists out of the whole catalogue.

    Attributes:
        users: ids of the ranked users, those with a relevant movie, ascending, (n,) int32.
        ndcg_at_10: of each user, (n,).
        precision_at_10: of each user, (n,).
        recall_at_10: of each user, (n,).
        hit: 1 for each user with a relevant movie in the list, else 0, (n,).
        coverage: share of the catalogue that is in anybody's list.
        novelty: mean self-information of what is listed, in bits; 0 without users.
    """

    users: npt.NDArray[np.int32]
    ndcg_at_10: Floats
    precision_at_10: Floats
    recall_at_10: Floats
    hit: Floats
    coverage: float
    novelty: float


@dataclass(frozen=True)
class SliceScores:
    """Scores on some of the ratings; means over the slice's users.

    Attributes:
        rows: ratings predicted.
        users: ranked users.
        rmse: in stars; None without a rating, as is `mae`.
        mae: in stars.
        ndcg_at_10: None without a ranked user, as are those below.
        precision_at_10: hits among ten.
        recall_at_10: found among the relevant.
        hit_rate: share of users with a hit.
        intervals: of each figure above that is not None, by its name.
    """

    rows: int
    users: int
    rmse: float | None
    mae: float | None
    ndcg_at_10: float | None
    precision_at_10: float | None
    recall_at_10: float | None
    hit_rate: float | None
    intervals: Mapping[str, Interval]


@dataclass(frozen=True)
class FoldScores:
    """Everything a protocol measures of one predictor.

    Attributes:
        rating: over all target rows.
        ranking: by user.
        slices: name to scores; `all` is everything.
        figures: means over users of what no slice has: `map_at_10`, `mrr_at_10`,
            `popularity_bias` and, where movies have vectors, `diversity`.
    """

    rating: RatingScores
    ranking: RankingScores
    slices: Mapping[str, SliceScores]
    figures: Mapping[str, float] = field(default_factory=dict)
