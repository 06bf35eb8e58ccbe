"""What scoring needs of one user, known to the model, folded in, or anonymous."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serving.artifact import Arrays, Floats, Parameters
from serving.foldin import blend_with_popularity, fold_in_ranking, fold_in_rating, ranking_weights
from serving.ranking import LIKED_STARS


@dataclass(frozen=True, slots=True)
class Taste:
    """A user's side of both heads, and what the user has rated.

    Attributes:
        bias: of the rating head, in stars.
        factors: of the rating head, (f,).
        ranking: of the ranking head, (g,).
        rated: rows of the rated movies, (n,).
        stars: their ratings, (n,).
    """

    bias: float
    factors: Floats
    ranking: Floats
    rated: npt.NDArray[np.integer]
    stars: Floats

    @property
    def liked(self) -> npt.NDArray[np.integer]:
        """Rows of the movies that the user rated 4 stars or more."""
        return self.rated[self.stars >= LIKED_STARS]


def anonymous(arrays: Arrays) -> Taste:
    """Return the taste of somebody of whom nothing is known: the stars of the mean user."""
    nothing = np.empty(0, dtype=np.intp)
    factors = np.zeros(arrays.movie_factors.shape[1], dtype=np.float32)
    return Taste(0.0, factors, arrays.ranking_mean, nothing, nothing.astype(np.float32))


def trained(arrays: Arrays, user: int) -> Taste:
    """Return a known user's taste as training left it."""
    rated, stars = history(arrays, user)
    return Taste(
        float(arrays.user_bias[user]),
        arrays.user_factors[user],
        arrays.user_ranking[user],
        rated,
        stars,
    )


def folded_in(
    arrays: Arrays, parameters: Parameters, user: int, given: Mapping[int, float]
) -> Taste:
    """Return the taste that follows from ratings given now, over those of training.

    Args:
        arrays: of the model.
        parameters: of the model.
        user: the user's row, or -1.
        given: row of a movie to stars; replaces the rating that training knew.
    """
    rated, stars = history(arrays, user)
    profile = dict(zip(rated.tolist(), stars.tolist(), strict=True)) | dict(given)
    rows = np.fromiter(profile.keys(), dtype=np.intp, count=len(profile))
    values = np.fromiter(profile.values(), dtype=np.float32, count=len(profile))
    bias, factors = fold_in_rating(
        values - parameters.global_mean - arrays.movie_bias[rows],
        arrays.movie_factors[rows],
        parameters.rating_regularization,
    )
    own = fold_in_ranking(
        ranking_weights(values, parameters.ranking_alpha),
        arrays.movie_ranking[rows],
        arrays.ranking_gram,
        parameters.ranking_regularization,
    )
    count = np.array([len(rows)])
    ranking = blend_with_popularity(own[np.newaxis], arrays.ranking_mean, count)[0]
    return Taste(bias, factors, ranking, rows, values)


def history(arrays: Arrays, user: int) -> tuple[npt.NDArray[np.int32], Floats]:
    """Return the rows of the movies a user had rated in training, and the stars; -1 has none."""
    start, end = (arrays.rated_offsets[user : user + 2]) if user >= 0 else (0, 0)
    return arrays.rated_movies[start:end], arrays.rated_halves[start:end] * np.float32(0.5)
