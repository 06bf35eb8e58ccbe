"""Sentences that say, truthfully, why a movie is in a list."""

from __future__ import annotations

from serving.model.answers.types import Strategy

_PREFIX: dict[Strategy, str] = {"popular": "Popular: ", "genre": "Popular in a genre you named: "}

GUESSED = "No rating yet: chosen by its genres and its decade."


def like(title: str) -> str:
    """Name the liked movie that is the nearest in factor space."""
    return f"Closest to {title}, one of the movies you liked."


def rated(strategy: Strategy, mean: float, count: int) -> str:
    """Name a movie's damped mean in stars and its number of ratings, if it has any."""
    if count == 0:
        return GUESSED
    ratings = "rating" if count == 1 else "ratings"
    return (
        f"{_PREFIX.get(strategy, '')}{mean:.2f} stars on average (damped) from {count} {ratings}."
    )
