"""No-drift batches: drawn again and again from the same ratings, never by moving rows around."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from benchmarks.drift.scores import Floats

N_STARS: Final = 10


@dataclass(frozen=True)
class Population:
    """Ratings as counts.

    Attributes:
        name: of the data, for the tables.
        stars: ratings of each user by star, shape (users, 10).
        mixes: all ratings by their movie's set of genres, shape (mixes,).
        mix_genres: 1 where a genre belongs to a set, shape (mixes, genres).
        genres: ratings of each user by genre, shape (users, genres); several for one rating.
        genre_names: in their order.
        within_week: share of the ratings given in the seven days from their user's first on.
    """

    name: str
    stars: Floats
    mixes: Floats
    mix_genres: Floats
    genres: Floats
    genre_names: tuple[str, ...]
    within_week: float

    @property
    def shares(self) -> Floats:
        """Share of each star, shape (10,)."""
        return np.asarray(self.stars.sum(axis=0) / self.stars.sum())

    @property
    def size(self) -> int:
        """All ratings."""
        return int(self.stars.sum())


class Draw(NamedTuple):
    """Batches: counts by star, shape (trials, 10), and by genre, shape (trials, genres)."""

    stars: Floats
    genres: Floats


def count_population(name: str, ratings: pd.DataFrame, movies: pd.DataFrame) -> Population:
    """Count a ratings frame; each rated movie must be among the movies (movieId, genres)."""
    users, user = np.unique(ratings["userId"], return_inverse=True)
    mix, mixes = pd.factorize(ratings["movieId"].map(movies.set_index("movieId")["genres"]))
    mix_genres = pd.Series(mixes).str.get_dummies("|")
    star = (ratings["rating"].to_numpy() * 2).astype(np.intp) - 1
    by_mix = _cross(user, mix, len(users), len(mixes))
    first = ratings.groupby("userId")["timestamp"].transform("min")
    return Population(
        name=name,
        stars=_cross(user, star, len(users), N_STARS),
        mixes=by_mix.sum(axis=0),
        mix_genres=mix_genres.to_numpy(np.float64),
        genres=by_mix @ mix_genres.to_numpy(np.float64),
        genre_names=tuple(mix_genres.columns),
        within_week=float((ratings["timestamp"] < first + 7 * 86_400).mean()),
    )


def draw_by_rating(population: Population, n: int, trials: int, rng: np.random.Generator) -> Draw:
    """Draw each of n ratings for itself; its star and its genres are drawn independently."""
    mixes = rng.multinomial(n, population.mixes / population.size, trials)
    stars = rng.multinomial(n, population.shares, trials).astype(np.float64)
    return Draw(stars, mixes @ population.mix_genres)


def draw_by_user(population: Population, n: int, trials: int, rng: np.random.Generator) -> Draw:
    """Draw users with all of their ratings, with replacement, until n ratings are reached."""
    picks = pick_users(population.stars.sum(axis=1), n, trials, rng)
    return Draw(picks @ population.stars, picks @ population.genres)


Way = Callable[[Population, int, int, np.random.Generator], Draw]
WAYS: Final[Mapping[str, Way]] = {"by rating": draw_by_rating, "by whole users": draw_by_user}


def pick_users(
    sizes: NDArray[np.float64], n: int, trials: int, rng: np.random.Generator
) -> csr_array:
    """Draw users with replacement until their ratings are n or more.

    Args:
        sizes: ratings of each user, shape (users,), all above 0.
        n: ratings wanted.
        trials: independent draws.
        rng: of the draws.

    Returns:
        How often each user is in each draw, sparse, shape (trials, users).
    """
    width = int(1.2 * n / sizes.mean()) + 10
    drawn = rng.integers(len(sizes), size=(trials, width), dtype=np.int32)
    while (sizes[drawn].sum(axis=1) < n).any():
        more = rng.integers(len(sizes), size=drawn.shape, dtype=np.int32)
        drawn = np.hstack([drawn, more])
    needed = (np.cumsum(sizes[drawn], axis=1) < n).sum(axis=1) + 1
    kept = drawn[np.arange(drawn.shape[1]) < needed[:, None]]
    ends = np.concatenate([[0], np.cumsum(needed)])
    return csr_array((np.ones(len(kept)), kept, ends), shape=(trials, len(sizes)))


def _cross(rows: NDArray[np.intp], columns: NDArray[np.intp], n: int, m: int) -> Floats:
    """Count pairs of row and column into an (n, m) table."""
    return np.bincount(rows * m + columns, minlength=n * m).reshape(n, m).astype(np.float64)
