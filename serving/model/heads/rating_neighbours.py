"""Stars by the ratings that a user gave to similar movies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Self

import numpy as np

from serving.model.arrays import Floats, Offsets, Reals, Rows
from serving.model.profiles import HALF, Profiles


@dataclass(frozen=True)
class NeighbourRating:
    r"""Baseline plus the mean deviation on the most similar rated movies, weighted by similarity.

    :math:`b_{ui} + \sum_j s_{ij} (r_{uj} - b_{uj}) / \sum_j s_{ij}` with
    :math:`b_{ui} = \mu + b_u + b_i`, over the `neighbours` movies j of the highest s_ij > 0 among
    those that u rated (Koren: Factor in the neighbors, 2010). Without such a movie, and for an
    unknown user or movie, the baseline alone.

    Attributes:
        global_mean: mu, in stars.
        user_penalty: ratings of 0 deviation that a user's bias starts with.
        neighbours: movies that count, at most.
        user_bias: b_u, in stars.
        movie_bias: b_i, in stars.
        offsets: movie i is similar to `similar[offsets[i]:offsets[i + 1]]`.
        similar: rows of movies, ascending within a movie.
        similarities: s_ij > 0, the strongest of each movie only.
    """

    global_mean: float
    user_penalty: float
    neighbours: int
    user_bias: Annotated[Reals, "float32", "users"]
    movie_bias: Annotated[Reals, "float32", "movies"]
    offsets: Annotated[Offsets, "int64", "movies + 1"]
    similar: Annotated[Rows, "rows", "rating links"]
    similarities: Annotated[Reals, "float32", "rating links"]

    def predict(self, profiles: Profiles, users: Rows, movies: Rows) -> Floats:
        """Return expected stars; see `RatingHead`."""
        known_user, known_movie = users >= 0, movies >= 0
        stars = np.full(len(users), self.global_mean, dtype=np.float32)
        stars[known_user] += self.user_bias[users[known_user]]
        stars[known_movie] += self.movie_bias[movies[known_movie]]
        both = np.flatnonzero(known_user & known_movie)
        for user in np.unique(users[both]).tolist():
            pairs = both[users[both] == user]
            stars[pairs] += self._deviations(profiles, user, movies[pairs])
        return stars

    def fold_in(self, profiles: Profiles) -> Self:
        """Fit each user's bias, damped towards 0."""
        deviations = profiles.halves * HALF - self.global_mean
        deviations -= self.movie_bias[profiles.movies]
        sums = np.bincount(profiles.owners(), deviations, minlength=len(profiles))
        bias = (sums / (self.user_penalty + profiles.counts)).astype(np.float32)
        return replace(self, user_bias=bias)

    def _deviations(self, profiles: Profiles, user: int, movies: Rows) -> Floats:
        """Return one user's mean deviation on the movies most similar to each, (n,)."""
        rated, stars = profiles.rated(user), profiles.stars(user)
        baseline = self.global_mean + self.user_bias[user] + self.movie_bias[rated]
        deviations = stars - baseline
        found = np.zeros(len(movies), dtype=np.float32)
        for place, movie in enumerate(movies.tolist()):
            links = slice(*self.offsets[movie : movie + 2])
            _, mine, theirs = np.intersect1d(
                rated, self.similar[links], assume_unique=True, return_indices=True
            )
            weights = self.similarities[links][theirs]
            best = np.argsort(-weights, kind="stable")[: self.neighbours]
            if len(best):
                found[place] = np.average(deviations[mine[best]], weights=weights[best])
        return found
