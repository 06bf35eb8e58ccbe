"""Guesses for movies without a rating: what their genres and decade are worth elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from cinematch_dagster.recommenders.ranking.neighbours import strongest
from serving.model.arrays import Reals
from serving.model.heads import (
    FactorRanking,
    FactorRating,
    ItemRanking,
    NeighbourRating,
    PopularityRanking,
)

PENALTY = 10.0
"""Of the features' weights, beside the trust in the rated movies."""
TRUSTED = 25.0
"""Ratings with which half of what was learnt of a movie is believed."""
LINKS = 100
"""Rated movies that may count for one without a rating, in a head of weights between movies."""
_BLOCK = 256

Head = TypeVar("Head")
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ColdStart:
    r"""A linear map from movies' features to whatever was learnt of the rated ones.

    Ridge regression over the rated movies, an intercept without penalty, each movie weighing
    :math:`n_i / (n_i + k)` with its ratings n_i and k = `TRUSTED` (Gantner et al.: Learning
    attribute-to-feature mappings for cold-start recommendations, 2010). A guess is near what is
    usual for movies of the same features, which is below what is popular: few get into a list.

    Attributes:
        rated: rows of the movies with a rating.
        cold: rows of the movies without one.
        features: of `cold`, a column of ones first, (n_cold, g).
        solution: from values of `rated` to the features' weights, (g, n_rated).
    """

    rated: npt.NDArray[np.intp]
    cold: npt.NDArray[np.intp]
    features: Matrix
    solution: Matrix

    @classmethod
    def of(cls, features: Matrix, counts: npt.NDArray[np.integer]) -> Self:
        """Fit the map.

        Args:
            features: of the catalogue, (n_movies, g - 1).
            counts: its ratings, (n_movies,).
        """
        rated, cold = np.flatnonzero(counts), np.flatnonzero(counts == 0)
        design = np.column_stack((np.ones(len(features)), features))
        trusted = (design[rated] * (counts[rated] / (counts[rated] + TRUSTED))[:, np.newaxis]).T
        penalty = np.diag(np.append(0.0, np.full(features.shape[1], PENALTY)))
        solution = np.linalg.solve(trusted @ design[rated] + penalty, trusted)
        return cls(rated, cold, design[cold], solution.astype(np.float64))

    def filled(self, values: Reals) -> Reals:
        """Return values of the catalogue, (n_movies, ...), with the guesses of the cold movies."""
        found = np.array(values)
        found[self.cold] = self.features @ (self.solution @ found[self.rated])
        return found

    def into(self, head: Head) -> Head:
        """Return a head that has guesses for the cold movies; all others stay as they are."""
        changed: dict[str, Any] = {}
        match head:
            case FactorRating() | NeighbourRating():
                changed = {"movie_bias": self.filled(head.movie_bias)}
            case FactorRanking():
                changed = {"movie_factors": self.filled(head.movie_factors)}
            case PopularityRanking():
                changed = {"popularity": self.filled(head.popularity)}
            case ItemRanking():
                changed = self._linked(head)
        return replace(head, **changed) if changed else head  # type: ignore[type-var]

    def _linked(self, head: ItemRanking) -> dict[str, Any]:
        """Add the links that lead to the cold movies."""
        n_movies = len(head.mean)
        shape = n_movies, n_movies
        links = sp.csr_array((head.weights, head.targets, head.offsets), shape=shape)
        to_features = np.asarray(links[:, self.rated] @ self.solution.T)
        blocks = [
            strongest(self.features[start : start + _BLOCK] @ to_features.T, LINKS)
            for start in range(0, len(self.cold), _BLOCK)
        ]
        if not blocks:
            return {}
        cold = sp.vstack(blocks).tocoo()
        guessed = sp.coo_array((cold.data, (cold.col, self.cold[cold.row])), shape=shape)
        everything = sp.csr_array(links + guessed)
        everything.sort_indices()
        return {
            "offsets": everything.indptr,
            "targets": everything.indices,
            "weights": everything.data,
            "mean": self.filled(head.mean),
        }
