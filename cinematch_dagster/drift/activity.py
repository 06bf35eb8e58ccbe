"""Who rated what: figures of users, movies and genres, from counts made where the ratings are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cinematch_dagster.drift.divergence import Counts


@dataclass(frozen=True)
class Activity:
    """Counts of some ratings.

    Attributes:
        ratings: all of them.
        users: users with at least one of them.
        by_new_users: ratings by users without any before the side begins.
        of_new_movies: ratings of movies without any before the side begins.
    """

    ratings: int
    users: int
    by_new_users: int
    of_new_movies: int

    @property
    def new_user_share(self) -> float | None:
        """Share of the ratings that come from new users, in [0, 1]; None without ratings."""
        return self.by_new_users / self.ratings if self.ratings else None

    @property
    def new_movie_share(self) -> float | None:
        """Share of the ratings that are of new movies, in [0, 1]; None without ratings."""
        return self.of_new_movies / self.ratings if self.ratings else None

    @property
    def ratings_per_user(self) -> float | None:
        """Mean number of ratings of an active user, at least 1; None without users."""
        return self.ratings / self.users if self.users else None


def aligned(baseline: Mapping[str, int], buffer: Mapping[str, int]) -> tuple[Counts, Counts]:
    """Count both sides over the union of their categories, in alphabetical order."""
    names = sorted(baseline.keys() | buffer.keys())
    before, after = (np.array([side.get(name, 0) for name in names]) for side in (baseline, buffer))
    return before.astype(np.int64), after.astype(np.int64)


def shares(counts: Mapping[str, int]) -> dict[str, float]:
    """Return each category's share of all counts; empty where nothing was counted.

    A rating of a movie with three genres counts in all three, so a genre's share is of the
    (rating, genre) pairs, and the shares add up to 1.
    """
    total = sum(counts.values())
    return {name: count / total for name, count in counts.items()} if total else {}
