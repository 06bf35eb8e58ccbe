"""What a model must show before it serves."""

from __future__ import annotations

import math

from serving.model.arrays import ModelError
from serving.model.recommender import Answer, Model

UNKNOWN = -1
"""An id that no user has."""


def check(model: Model) -> None:
    """Ask as three known users, as an unknown one, and as an unknown one who sends a rating.

    Raises:
        ModelError: an answer is empty, not finite, out of order, names a movie twice, or takes
            a known user for an unknown one.
    """
    users = model.user_ids
    for known in users[[0, len(users) // 2, -1]].tolist():
        _check(model.recommend(known, 10), known=True, left=model.left(known))
    _check(model.recommend(UNKNOWN, 10), known=False, left=model.left(UNKNOWN))
    rated = {int(model.movie_ids[0]): 4.5}
    left = model.left(UNKNOWN) - 1
    _check(model.recommend(UNKNOWN, 10, ratings=rated), known=False, left=left)


def _check(answer: Answer, *, known: bool, left: int) -> None:
    scores = [r.score for r in answer.recommendations]
    numbers = scores + [r.predicted_rating for r in answer.recommendations]
    movies = {r.movie_id for r in answer.recommendations}
    problems = {
        f"fallback {answer.fallback}": answer.fallback == known,
        "no movies": not scores and left > 0,
        "a number that is not finite": not all(map(math.isfinite, numbers)),
        "movies out of order": scores != sorted(scores, reverse=True),
        "a movie twice": len(movies) < len(scores),
    }
    if found := [problem for problem, holds in problems.items() if holds]:
        who = "known" if known else "unknown"
        raise ModelError(f"{who} user {answer.user_id} was answered with {', '.join(found)}")
