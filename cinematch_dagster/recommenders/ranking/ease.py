"""The ranking head `ease`: a linear model between all movies, in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from cinematch_dagster.recommenders.algorithm import Range, RankingAlgorithm
from cinematch_dagster.recommenders.errors import TooManyMoviesError
from cinematch_dagster.recommenders.ranking.item_knn import item_head

if TYPE_CHECKING:
    from cinematch_dagster.recommenders.interactions import Interactions
    from serving.model.heads import ItemRanking


class Ease(RankingAlgorithm):
    """A linear model between all movies; the arguments of `fit_ease`."""

    algorithm: Literal["ease"] = "ease"
    regularization: float = Field(2000.0, gt=0)
    links: int = Field(200, ge=1)
    max_movies: int = Field(10_000, ge=1)

    search: ClassVar = {"regularization": Range(100.0, 10_000.0, log=True)}

    def fit(self, interactions: Interactions, seed: int) -> ItemRanking:  # noqa: ARG002
        """Fit the head; it draws nothing."""
        return fit_ease(interactions, **self.hyperparameters)


def fit_ease(
    interactions: Interactions, *, regularization: float, links: int, max_movies: int
) -> ItemRanking:
    r"""Fit :math:`B = I - P / \mathrm{diag}(P)`, :math:`P = (X'X + \lambda I)^{-1}`.

    X holds the weights `max(r - 2, 0)` (Steck: Embarrassingly shallow autoencoders, 2019). Memory
    grows with the square of the movies, time with the cube.

    Args:
        interactions: the ratings.
        regularization: lambda.
        links: weights kept of each movie, the strongest.
        max_movies: refuse more rated movies than this.

    Raises:
        TooManyMoviesError: more movies are rated than `max_movies`.
    """
    from threadpoolctl import threadpool_limits

    from cinematch_dagster.recommenders.ranking.neighbours import strongest

    rated = np.flatnonzero(interactions.movie_counts)
    if len(rated) > max_movies:
        raise TooManyMoviesError(
            f"ease inverts a matrix of all rated movies: {len(rated)} movies, at most "
            f"{max_movies} were expected (training.ranking.max_movies)"
        )
    weights = interactions.weights[:, rated]
    gram = (weights.T @ weights).toarray().astype(np.float64)
    with threadpool_limits(1, "blas"):
        inverse = np.linalg.inv(gram + regularization * np.eye(len(gram)))
    found = -inverse / np.diag(inverse)
    np.fill_diagonal(found, 0.0)
    kept = strongest(found.astype(np.float32), links).tocoo()
    return item_head(interactions, rated[kept.row], rated[kept.col], kept.data)
