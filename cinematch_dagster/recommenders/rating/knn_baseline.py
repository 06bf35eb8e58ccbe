"""The rating heads `baseline` and `knn_baseline`: biases, and the ratings of similar movies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from cinematch_dagster.recommenders.algorithm import Range, RatingAlgorithm
from cinematch_dagster.recommenders.errors import TooManyMoviesError

if TYPE_CHECKING:
    import scipy.sparse as sp

    from cinematch_dagster.recommenders.interactions import Interactions
    from cinematch_dagster.recommenders.rating.trainset import ArrayTrainset
    from serving.model.heads import NeighbourRating

USER_PENALTY = 15.0
"""Surprise's own for users' biases."""
OPTIONS = {"method": "als", "reg_u": USER_PENALTY, "reg_i": 10, "n_epochs": 10}
LARGEST = 10_000
"""Movies up to which all of them are compared with each other: memory grows with the square."""


class Baseline(RatingAlgorithm):
    """Mean and biases: there is nothing to choose."""

    algorithm: Literal["baseline"] = "baseline"

    def fit(self, interactions: Interactions, seed: int) -> NeighbourRating:  # noqa: ARG002
        """Fit the head; it draws nothing."""
        return fit_baseline_only(interactions)


class KnnBaseline(RatingAlgorithm):
    """Biases and the ratings of similar movies; the arguments of `fit_knn_baseline`."""

    algorithm: Literal["knn_baseline"] = "knn_baseline"
    neighbours: int = Field(40, ge=1)
    links: int = Field(500, ge=1)

    search: ClassVar = {"neighbours": Range(10, 100)}

    def fit(self, interactions: Interactions, seed: int) -> NeighbourRating:  # noqa: ARG002
        """Fit the head; it draws nothing."""
        return fit_knn_baseline(interactions, **self.hyperparameters)


def fit_baseline_only(interactions: Interactions) -> NeighbourRating:
    """Fit Surprise's `BaselineOnly`: the head without any neighbour."""
    import scipy.sparse as sp
    import surprise

    from cinematch_dagster.recommenders.rating.trainset import ArrayTrainset

    trainset = ArrayTrainset.of(interactions)
    algorithm = surprise.BaselineOnly(bsl_options=OPTIONS, verbose=False).fit(trainset)
    n_movies = len(interactions.movie_ids)
    return _head(interactions, trainset, algorithm, 0, sp.csr_array((n_movies, n_movies)))


def fit_knn_baseline(interactions: Interactions, *, neighbours: int, links: int) -> NeighbourRating:
    """Fit Surprise's `KNNBaseline` with Pearson similarity of movies, shrunk.

    Ratings that are all equal have no similar movies.

    Args:
        interactions: the ratings.
        neighbours: rated movies that count for a prediction, at most.
        links: similar movies kept for each movie.

    Raises:
        TooManyMoviesError: more than `LARGEST` movies are rated.
    """
    import scipy.sparse as sp
    import surprise

    from cinematch_dagster.recommenders.ranking.neighbours import strongest
    from cinematch_dagster.recommenders.rating.trainset import ArrayTrainset

    trainset = ArrayTrainset.of(interactions)
    if trainset.n_items > LARGEST:
        raise TooManyMoviesError(
            f"knn_baseline compares every movie with every other: {trainset.n_items} movies, "
            f"at most {LARGEST} were expected"
        )
    if np.ptp(interactions.stars) == 0:  # nothing to correlate: Surprise would divide by 0
        return fit_baseline_only(interactions)
    algorithm = surprise.KNNBaseline(
        k=neighbours,
        sim_options={"name": "pearson_baseline", "user_based": False},
        bsl_options=OPTIONS,
        verbose=False,
    ).fit(trainset)
    similarities = np.maximum(algorithm.sim, 0).astype(np.float32)
    np.fill_diagonal(similarities, 0)
    rows = np.searchsorted(interactions.movie_ids, trainset.raw_movies)
    found = strongest(similarities, links).tocoo()
    n_movies = len(interactions.movie_ids)
    placed = (rows[found.row], rows[found.col])
    kept = sp.coo_array((found.data, placed), shape=(n_movies, n_movies)).tocsr()
    kept.sort_indices()
    return _head(interactions, trainset, algorithm, neighbours, kept)


def _head(
    interactions: Interactions,
    trainset: ArrayTrainset,
    algorithm: Any,
    neighbours: int,
    similarities: sp.csr_array,
) -> NeighbourRating:
    """Put what Surprise learnt at the rows of the interactions."""
    from serving.model.heads import NeighbourRating

    return NeighbourRating(
        global_mean=float(trainset.global_mean),
        user_penalty=USER_PENALTY,
        neighbours=neighbours,
        user_bias=trainset.users_in(interactions.user_ids, algorithm.bu),
        movie_bias=trainset.movies_in(interactions.movie_ids, algorithm.bi),
        offsets=similarities.indptr.astype(np.int64),
        similar=similarities.indices,
        similarities=similarities.data,
    )
