"""The ranking head: alternating least squares on implicit feedback (the `implicit` library)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

from cinematch_dagster.recommenders.interactions import Interactions
from serving.model.heads import FactorRanking

Floats = npt.NDArray[np.float32]


def fit_als(
    interactions: Interactions,
    *,
    factors: int,
    iterations: int,
    regularization: float,
    alpha: float,
    seed: int,
) -> FactorRanking:
    """Fit the head; one thread, so that a seed determines it."""
    confidences = interactions.weights * np.float32(alpha)
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
    return FactorRanking(
        movie_factors=movie_factors,
        gram=gram,
        mean=vectors.mean(axis=0),
        regularization=regularization,
        alpha=alpha,
    )
