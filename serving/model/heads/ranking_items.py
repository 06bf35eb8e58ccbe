"""Order by weights between movies: EASE, and item-based neighbourhoods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt

from serving.model.arrays import Floats, Offsets, Reals, Rows
from serving.model.profiles import Profiles
from serving.model.scoring.fold_in import blend_with_popularity, ranking_weights


@dataclass(frozen=True)
class ItemRanking:
    """Order by `sum_i max(r_ui - 2, 0) * w_ij` over the movies i that a user rated.

    Attributes:
        offsets: movie i speaks for `targets[offsets[i]:offsets[i + 1]]`.
        targets: rows of movies, ascending within a movie.
        weights: w_ij, the strongest of each movie only.
        mean: mean scores of the training users: popularity on the same scale.
    """

    offsets: Annotated[Offsets, "int64", "movies + 1"]
    targets: Annotated[Rows, "rows", "ranking links"]
    weights: Annotated[Reals, "float32", "ranking links"]
    mean: Annotated[Reals, "float32", "movies"]

    def scores(self, profiles: Profiles) -> Floats:
        """Return the scores of the catalogue; see `RankingHead`."""
        own = np.empty((len(profiles), len(self.mean)), dtype=np.float32)
        for user in range(len(profiles)):
            own[user] = self._sums(profiles.rated(user), profiles.stars(user))
        return blend_with_popularity(own, self.mean, profiles.telling)

    def similarity(self, movie: int) -> Floats:
        """Return the movie's weights."""
        return self._weights_of(movie)

    def explain(self, movies: Rows, liked: Rows) -> npt.NDArray[np.intp]:
        """Return the liked movie of the largest weight, -1 where none is positive."""
        if len(liked) == 0:
            return np.full(len(movies), -1, dtype=np.intp)
        weights = np.array([self._weights_of(row)[movies] for row in liked.tolist()])
        return np.where(weights.max(axis=0) > 0, liked[weights.argmax(axis=0)], -1).astype(np.intp)

    def _sums(self, rated: Rows, stars: Floats) -> Floats:
        """Add up the weights of one user's movies, (n_movies,)."""
        rated = rated.astype(np.intp)
        starts, counts = self.offsets[rated], self.offsets[rated + 1] - self.offsets[rated]
        ends = np.cumsum(counts)
        links = np.repeat(starts - ends + counts, counts) + np.arange(counts.sum())
        shares = np.repeat(ranking_weights(stars, 1.0), counts) * self.weights[links]
        return np.bincount(self.targets[links], shares, len(self.mean)).astype(np.float32)

    def _weights_of(self, row: int) -> Floats:
        """Return w_ij of movie i as a dense row, (n_movies,)."""
        dense = np.zeros(len(self.mean), dtype=np.float32)
        links = slice(*self.offsets[row : row + 2])
        dense[self.targets[links]] = self.weights[links]
        return dense
