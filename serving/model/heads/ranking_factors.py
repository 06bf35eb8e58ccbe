"""Order by factors: implicit-feedback ALS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt

from serving.model.arrays import Floats, Rows
from serving.model.profiles import Profiles
from serving.model.scoring.fold_in import blend_with_popularity, fold_in_ranking, ranking_weights
from serving.model.scoring.top import nearest, unit


@dataclass(frozen=True)
class FactorRanking:
    """Order by `x_u . y_i`; x_u is a half step of ALS from the profile (`fold_in_ranking`).

    Attributes:
        regularization: L2 penalty.
        alpha: confidence per star above 2.
        movie_factors: y_i; zeros for a movie without a rating above 2 stars.
        gram: `Y'Y`.
        mean: mean of the training users' own vectors: popularity in factor space.
    """

    regularization: float
    alpha: float
    movie_factors: Annotated[Floats, "float32", "movies", "ranking factors"]
    gram: Annotated[Floats, "float32", "ranking factors", "ranking factors"]
    mean: Annotated[Floats, "float32", "ranking factors"]

    def scores(self, profiles: Profiles) -> Floats:
        """Return the scores of the catalogue; see `RankingHead`."""
        return np.asarray(self.vectors(profiles) @ self.movie_factors.T, dtype=np.float32)

    def vectors(self, profiles: Profiles) -> Floats:
        """Return each user's x_u, (n, g)."""
        own = np.empty((len(profiles), len(self.gram)), dtype=np.float32)
        for user in range(len(profiles)):
            weights = ranking_weights(profiles.stars(user), self.alpha)
            factors = self.movie_factors[profiles.rated(user)]
            own[user] = fold_in_ranking(weights, factors, self.gram, self.regularization)
        return blend_with_popularity(own, self.mean, profiles.telling)

    def similarity(self, movie: int) -> Floats:
        """Return the cosine of each movie's factors with this one's."""
        return np.asarray(unit(self.movie_factors) @ unit(self.movie_factors[[movie]])[0])

    def explain(self, movies: Rows, liked: Rows) -> npt.NDArray[np.intp]:
        """Return the liked movie of the highest cosine, -1 where none is positive."""
        closest = nearest(self.movie_factors[movies], self.movie_factors[liked])
        return np.where(closest >= 0, np.append(liked.astype(np.intp), -1)[closest], -1)
