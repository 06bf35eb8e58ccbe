"""Stars by biased matrix factorization: SVD, and what folds into its form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Self

import numpy as np

from serving.model.arrays import Floats, Reals, Rows
from serving.model.profiles import Profiles
from serving.model.scoring.fold_in import fold_in_rating


@dataclass(frozen=True)
class FactorRating:
    r"""Expected stars :math:`\hat r_{ui} = \mu + b_u + b_i + p_u \cdot q_i`.

    A baseline has no factors; SVD++ adds its implicit part to p_u.

    Attributes:
        global_mean: mu, in stars.
        regularization: L2 penalty per rating.
        user_bias: b_u, in stars.
        user_factors: p_u.
        movie_bias: b_i, in stars; 0 for a movie without ratings.
        movie_factors: q_i; zeros for a movie without ratings.
    """

    global_mean: float
    regularization: float
    user_bias: Annotated[Reals, "float32", "users"]
    user_factors: Annotated[Reals, "float16", "users", "factors"]
    movie_bias: Annotated[Reals, "float32", "movies"]
    movie_factors: Annotated[Reals, "float32", "movies", "factors"]

    def predict(self, profiles: Profiles, users: Rows, movies: Rows) -> Floats:  # noqa: ARG002
        """Return expected stars; see `RatingHead`."""
        if min(users.min(initial=0), movies.min(initial=0)) == 0:
            return self._known(users, movies)
        known_user, known_movie = users >= 0, movies >= 0
        both = known_user & known_movie
        stars = np.full(len(users), self.global_mean, dtype=np.float32)
        stars[known_user] += self.user_bias[users[known_user]]
        stars[known_movie] += self.movie_bias[movies[known_movie]]
        stars[both] += self._products(users[both], movies[both])
        return stars

    def _known(self, users: Rows, movies: Rows) -> Floats:
        """Return the stars of known users and movies, where no mask is needed."""
        mean = np.float32(self.global_mean)
        biases = mean + self.user_bias[users] + self.movie_bias[movies]
        return np.asarray(biases + self._products(users, movies))

    def _products(self, users: Rows, movies: Rows) -> Floats:
        vectors = self.user_factors[users].astype(np.float32)
        return np.asarray(np.einsum("nf,nf->n", vectors, self.movie_factors[movies]))

    def fold_in(self, profiles: Profiles) -> Self:
        """Solve for each user; see `serving.model.scoring.fold_in.fold_in_rating`."""
        bias = np.empty(len(profiles), dtype=np.float32)
        factors = np.empty((len(profiles), self.movie_factors.shape[1]), dtype=np.float32)
        for user in range(len(profiles)):
            rated = profiles.rated(user)
            residuals = profiles.stars(user) - self.global_mean - self.movie_bias[rated]
            bias[user], factors[user] = fold_in_rating(
                residuals, self.movie_factors[rated], self.regularization
            )
        return replace(self, user_bias=bias, user_factors=factors)
