"""Vectors for a user from ratings alone, the movie side of a trained model held fixed.

Unknown users, and known users who have rated since, are answered through these closed forms
instead of a retraining.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

PRIOR = 2.0
"""Penalty beyond the per-rating one: what keeps a user with one rating close to the mean."""
FULL_PROFILE = 10
"""Ratings above `NEUTRAL_STARS` from which on a user's own vector ranks alone."""
NEUTRAL_STARS = 2.0
"""Ratings at or below this say nothing about what to recommend."""


def fold_in_rating(
    residuals: npt.NDArray[np.floating], factors: npt.NDArray[np.floating], regularization: float
) -> tuple[float, Floats]:
    """Return a user's bias and factors for the rating head.

    Ridge regression of the residuals `r - mu - b_i` (n,) on `[1, q_i]`, with `factors` (n, f)
    the rows q_i and penalty `regularization * n + PRIOR`; no rating gives zeros. With X these rows,
    `(X'X + p I)^-1 X'r = X'(XX' + p I)^-1 r`: of the two the smaller system is solved.
    """
    design = np.column_stack((np.ones(len(factors)), factors.astype(np.float64)))
    penalty = regularization * len(design) + PRIOR
    wanted = residuals.astype(np.float64)
    if len(design) < design.shape[1]:
        kernel = design @ design.T + penalty * np.eye(len(design))
        solution = design.T @ np.linalg.solve(kernel, wanted)
    else:
        gram = design.T @ design + penalty * np.eye(design.shape[1])
        solution = np.linalg.solve(gram, design.T @ wanted)
    return float(solution[0]), solution[1:].astype(np.float32)


def ranking_weights(stars: npt.NDArray[np.floating], alpha: float) -> Floats:
    """Return the ranking head's confidences: `alpha * max(r - 2, 0)`, where 0 is unobserved."""
    return np.asarray(alpha * np.maximum(stars - NEUTRAL_STARS, 0.0), dtype=np.float32)


def fold_in_ranking(
    confidences: Floats, factors: Floats, gram: Floats, regularization: float
) -> Floats:
    """Return a user's vector (g,) for the ranking head: one half step of implicit-feedback ALS.

    With Y all movies' factors, `gram = Y'Y` (g, g), and c_i the confidences of the rated movies
    with rows y_i of `factors` (n, g), solves
    `(Y'Y + regularization * I + sum (c_i - 1) y_i y_i') x = sum c_i y_i`
    (Hu, Koren, Volinsky: Collaborative filtering for implicit feedback datasets, 2008).
    """
    liked = confidences > 0
    confidence = confidences[liked].astype(np.float64)
    rows = factors[liked].astype(np.float64)
    system = gram + regularization * np.eye(len(gram)) + (rows.T * (confidence - 1.0)) @ rows
    solution: Floats = np.linalg.solve(system, rows.T @ confidence).astype(np.float32)
    return solution


def blend_with_popularity(vectors: Floats, mean: Floats, counts: npt.NDArray[np.integer]) -> Floats:
    """Pull users with few ratings towards the mean user, whose order is popularity.

    Args:
        vectors: users' ranking vectors, (n, g).
        mean: the mean user's vector, (g,).
        counts: ratings above `NEUTRAL_STARS` of each user, (n,): those that the vector is made of.
            The own share is `min(count / FULL_PROFILE, 1)`.
    """
    own = np.minimum(counts / FULL_PROFILE, 1.0)[:, np.newaxis]
    return np.asarray(own * vectors + (1.0 - own) * mean, dtype=np.float32)
