"""Tiny ratings whose draws can be worked out by hand."""

from collections.abc import Iterable

import pandas as pd

from benchmarks.drift.resampling import Population, count_population

MOVIES = pd.DataFrame({"movieId": [1, 2, 3], "genres": ["Drama", "Comedy|Drama", "Horror"]})
WEEK = 7 * 86_400


def ratings(rows: Iterable[tuple[int, int, float, int]]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["userId", "movieId", "rating", "timestamp"])


def population(rows: Iterable[tuple[int, int, float, int]]) -> Population:
    return count_population("tiny", ratings(rows), MOVIES)


HATER = (0.5, 1.0, 1.5, 2.0, 2.0, 2.5, 2.5, 2.5, 3.0, 3.0, 3.0, 3.5, 3.5, 4.0, 4.5)


def mixed_crowd(n_users: int, apart: float = 0.0) -> Population:
    """Every other user has the mean 2.6 and the others, mirrored, 2.9; 15 ratings each.

    With `apart`, a multiple of 0.5, the latter give so much more, 5.0 at most.
    """
    return population(
        (user, 1 + i % 3, star if user % 2 else min(5.5 - star + apart, 5.0), i)
        for user in range(n_users)
        for i, star in enumerate(HATER)
    )


def lovers_and_haters(n_users: int, n_ratings: int, love: float = 4.0) -> Population:
    """Every other user gives 2.0 to everything, the others `love`; all give as many ratings."""
    return population(
        (user, 1 + i % 3, love if user % 2 else 2.0, i)
        for user in range(n_users)
        for i in range(n_ratings)
    )
