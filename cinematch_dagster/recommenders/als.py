"""The ranking head: alternating least squares on implicit feedback (the `implicit` library)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

from cinematch_dagster.recommenders.interactions import Interactions
from serving.foldin import blend_with_popularity, ranking_weights

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class RankingHead:
    """Order by `x_u . y_i`, a user's own vector blended with the mean when ratings are few.

    Attributes:
        user_vectors: x_u, (n_users, g).
        movie_factors: y_i, (n_movies, g); zeros for a movie that nobody rated above 2 stars.
        gram: `Y'Y`, (g, g).
        mean: mean of the users' vectors before blending, (g,).
        regularization: L2 penalty.
        alpha: confidence per star above 2.
    """

    user_vectors: Floats
    movie_factors: Floats
    gram: Floats
    mean: Floats
    regularization: float
    alpha: float


def fit_als(
    interactions: Interactions,
    *,
    factors: int,
    iterations: int,
    regularization: float,
    alpha: float,
    seed: int,
) -> RankingHead:
    """Fit the head; one thread, so that a seed determines it.

    Users' vectors come from a last half step on the final movie factors: exactly what
    `serving.foldin.fold_in_ranking` gives for the same ratings.
    """
    confidences = _confidences(interactions, alpha)
    with threadpool_limits(1, "blas"):
        algorithm = AlternatingLeastSquares(
            factors=factors,
            iterations=iterations,
            regularization=regularization,
            alpha=1.0,
            num_threads=1,
            random_state=seed,
        )
        algorithm.fit(confidences, show_progress=False)
        movie_factors: Floats = algorithm.item_factors
        vectors = algorithm.recalculate_user(np.arange(confidences.shape[0]), confidences)
        gram = movie_factors.T @ movie_factors
    mean = vectors.mean(axis=0)
    return RankingHead(
        user_vectors=blend_with_popularity(vectors, mean, interactions.user_counts),
        movie_factors=movie_factors,
        gram=gram,
        mean=mean,
        regularization=regularization,
        alpha=alpha,
    )


def _confidences(interactions: Interactions, alpha: float) -> sp.csr_matrix:
    """Return the confidences, (n_users, n_movies); ratings of 2 stars or less are unobserved."""
    stars = interactions.matrix
    weights = ranking_weights(stars.data, alpha)
    matrix = sp.csr_matrix((weights, stars.indices, stars.indptr), shape=stars.shape, copy=True)
    matrix.eliminate_zeros()
    return matrix
