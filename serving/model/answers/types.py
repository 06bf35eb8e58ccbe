"""What a model answers with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Strategy = Literal["known_user", "fold_in", "genre", "popular"]


@dataclass(frozen=True, slots=True)
class Liked:
    """A movie that a user liked."""

    movie_id: int
    title: str


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One movie of an answer.

    Attributes:
        movie_id: MovieLens id.
        title: with the year, as MovieLens writes it.
        genres: pipe-separated.
        score: what the list is ordered by, descending; comparable within one answer only.
        predicted_rating: stars expected from this user, 0.5 to 5.
        strategy: how the movie was found.
        reason: a sentence that is true of this model and this user.
        because: the movies that the user liked and that speak most for it; none in a fallback.
    """

    movie_id: int
    title: str
    genres: str
    score: float
    predicted_rating: float
    strategy: Strategy
    reason: str
    because: tuple[Liked, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A user's recommendations.

    `fallback` is true for every user not known to the model, and for one who took all back.
    """

    user_id: int
    fallback: bool
    strategy: Strategy
    recommendations: tuple[Recommendation, ...]
