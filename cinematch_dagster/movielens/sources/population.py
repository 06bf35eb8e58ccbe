"""The users and movies behind synthetic ratings: who they are, what they like, when they come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

GENRES: Final = (
    *("Action", "Adventure", "Animation", "Children", "Comedy", "Crime", "Documentary", "Drama"),
    *("Fantasy", "Film-Noir", "Horror", "IMAX", "Musical", "Mystery", "Romance", "Sci-Fi"),
    *("Thriller", "War", "Western"),
)
N_FACTORS: Final = 8
FEWEST: Final = 20  # ratings of a user in MovieLens
START: Final = 1_045_612_800  # 2003-02-19 UTC, since when half stars exist
END: Final = 1_574_294_400  # 2019-11-21 UTC, the end of ml-25m

ACTIVITY_SPREAD: Final = 1.35  # sigma of the lognormal excess over FEWEST
POPULARITY_SPREAD: Final = 2.0  # sigma of the lognormal weight
OLD_SHARE: Final = 0.5  # of the movies are there from the start
TASTE_IN_CHOICE: Final = 1.3  # how far taste decides which genre is watched
STD: Final = {"user": 0.40, "movie": 0.40, "taste": 0.62, "noise": 0.54}  # squares sum to 1


@dataclass(frozen=True)
class Movies:
    """Movies in the order of (genre, arrival); genre g is rows bounds[g] … bounds[g + 1] - 1.

    ids: int32 from 1 on, in the order of arrival. arrival: unix seconds. weight_before: cumulated
    popularity of the rows before, shape (n + 1,). bias: (n,). factors: (n, N_FACTORS).
    """

    ids: np.ndarray
    genre: np.ndarray
    second_genre: np.ndarray
    arrival: np.ndarray
    bounds: np.ndarray
    weight_before: np.ndarray
    bias: np.ndarray
    factors: np.ndarray

    def frame(self) -> pd.DataFrame:
        """Return movieId, title and genres by movieId; titles say that they are synthetic."""
        arrived = self.arrival.astype("datetime64[s]").astype("datetime64[Y]").astype(int) + 1970
        year = np.where(self.arrival == START, 1950 + self.ids % 53, arrived)
        names = np.array(GENRES)
        pairs = zip(names[self.genre], names[self.second_genre], strict=True)
        return pd.DataFrame(
            {
                "movieId": self.ids,
                "title": [f"Synthetic {i} ({y})" for i, y in zip(self.ids, year, strict=True)],
                "genres": ["|".join(sorted({a, b})) for a, b in pairs],
            }
        ).sort_values("movieId", ignore_index=True)


@dataclass(frozen=True)
class Users:
    """Users in the order of arrival; ids have another order, as in MovieLens.

    n_ratings: at least 20. late_share: of the ratings given after the first day, 0 … 1.
    genre_before: cumulated chance of each genre, shape (n, genres), the last column is 1.
    """

    ids: np.ndarray
    arrival: np.ndarray
    n_ratings: np.ndarray
    late_share: np.ndarray
    bias: np.ndarray
    factors: np.ndarray
    genre_before: np.ndarray

    def __getitem__(self, rows: slice) -> Users:
        """Return some of the users."""
        return Users(**{name: values[rows] for name, values in vars(self).items()})


def draw_population(
    n_ratings: int, n_users: int, n_movies: int, rng: np.random.Generator
) -> tuple[Movies, Users]:
    """Draw users and movies whose tastes share one space of genres."""
    centres = rng.standard_normal((len(GENRES), N_FACTORS))
    share = rng.dirichlet(np.full(len(GENRES), 2.0))
    movies = _draw_movies(n_movies, centres, share, rng)
    return movies, _draw_users(n_ratings, n_users, n_movies, centres, movies, rng)


def _draw_movies(
    n: int, centres: np.ndarray, share: np.ndarray, rng: np.random.Generator
) -> Movies:
    arrival = np.sort(rng.integers(START, END, n))
    arrival[: int(n * OLD_SHARE)] = START
    genre, second = rng.choice(len(GENRES), (2, n), p=share)
    weight = rng.lognormal(sigma=POPULARITY_SPREAD, size=n)
    # the best known movies are liked a little more, as in MovieLens
    bias = 0.3 * np.log(weight) / POPULARITY_SPREAD + 0.954 * rng.standard_normal(n)
    near = 0.7 * centres[genre] + 0.3 * centres[second]
    factors = 0.75 * near + 0.5 * rng.standard_normal((n, N_FACTORS))
    order = np.lexsort((arrival, genre))
    return Movies(
        ids=(np.arange(n, dtype=np.int32) + 1)[order],
        genre=genre[order],
        second_genre=second[order],
        arrival=arrival[order],
        bounds=np.searchsorted(genre[order], np.arange(len(GENRES) + 1)),
        weight_before=np.concatenate([[0.0], np.cumsum(weight[order])]),
        bias=(STD["movie"] * bias[order]).astype(np.float32),
        factors=factors[order].astype(np.float32),
    )


def _draw_users(
    n_ratings: int,
    n: int,
    n_movies: int,
    centres: np.ndarray,
    movies: Movies,
    rng: np.random.Generator,
) -> Users:
    taste = rng.standard_normal((n, N_FACTORS))
    there = np.diff(movies.weight_before[movies.bounds])
    chance = there * np.exp(TASTE_IN_CHOICE * (taste @ centres.T) / np.sqrt(N_FACTORS))
    before = np.cumsum(chance, axis=1)
    return Users(
        ids=rng.permutation(n).astype(np.int32) + 1,
        arrival=np.sort(rng.integers(START, END, n)),
        n_ratings=draw_activity(n_ratings, n, n_movies // 4, rng),
        late_share=rng.beta(0.5, 0.8, n),
        bias=(STD["user"] * rng.standard_normal(n)).astype(np.float32),
        factors=(taste * STD["taste"] / np.sqrt(N_FACTORS)).astype(np.float32),
        genre_before=(before / before[:, -1:]).astype(np.float32),
    )


def draw_activity(total: int, n_users: int, most: int, rng: np.random.Generator) -> np.ndarray:
    """Draw how many ratings each user gives: `FEWEST` plus a lognormal excess, at most `most`.

    Returns:
        int64, shape (n_users,), of the exact sum `total`.

    Raises:
        ValueError: `total` is not between `FEWEST` and `most` ratings a user.
    """
    if not FEWEST * n_users <= total <= most * n_users:
        raise ValueError(
            f"{total} ratings of {n_users} users: expected {FEWEST} to {most} ratings a user"
        )
    excess = rng.lognormal(sigma=ACTIVITY_SPREAD, size=n_users)
    low, high = 0.0, total / excess.min()
    while high - low > 1e-9 * high:  # the scale whose capped excesses have the wanted sum
        scale = (low + high) / 2
        is_short = np.minimum(FEWEST + excess * scale, most).sum() < total
        low, high = (scale, high) if is_short else (low, scale)
    wanted = np.cumsum(np.minimum(FEWEST + excess * low, most))
    counts = np.diff(np.round(wanted * (total / wanted[-1])).astype(np.int64), prepend=0)
    return np.asarray(counts)
