"""The ranking head: alternating least squares on implicit feedback (the `implicit` library)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from cinematch_dagster.recommenders.algorithm import Range, RankingAlgorithm

if TYPE_CHECKING:
    from cinematch_dagster.recommenders.interactions import Interactions
    from serving.model.heads import FactorRanking

Floats = npt.NDArray[np.float32]


class Als(RankingAlgorithm):
    """Factors of movies, from how much users liked them; the arguments of `fit_als`."""

    algorithm: Literal["als"] = "als"
    factors: int = Field(128, ge=1)
    iterations: int = Field(15, ge=1)
    regularization: float = Field(60.0, gt=0)
    alpha: float = Field(2.0, gt=0)

    search: ClassVar = {
        "factors": Range(32, 256),
        "iterations": Range(5, 25),
        "regularization": Range(1.0, 300.0, log=True),
        "alpha": Range(0.5, 20.0, log=True),
    }

    def fit(self, interactions: Interactions, seed: int) -> FactorRanking:
        """Fit the head."""
        return fit_als(interactions, seed=seed, **self.hyperparameters)


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
    from implicit.cpu.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    from serving.model.heads import FactorRanking

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
