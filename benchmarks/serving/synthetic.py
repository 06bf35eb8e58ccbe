"""A served model of any size: random, with everything a trained one carries."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from serving.model.arrays import as_stored
from serving.model.artifact import FORMAT, REASONS, Arrays, Artifact, ModelInfo
from serving.model.heads import FactorRanking, FactorRating
from serving.model.profiles import Profiles

FACTORS, RANKING_FACTORS, LIST = 100, 128, 100
GENRES: Final = (
    "Action", "Adventure", "Animation", "Children", "Comedy", "Crime", "Documentary", "Drama",
    "Fantasy", "Film-Noir", "Horror", "IMAX", "Musical", "Mystery", "Romance", "Sci-Fi",
    "Thriller", "War", "Western",
)  # fmt: skip


@dataclass(frozen=True)
class Size:
    """How much a model knows.

    Attributes:
        movies: of the catalogue.
        users: known ones.
        ratings: of them, roughly: of two for one movie one stays.
    """

    movies: int
    users: int
    ratings: int


SIZES: Final = {
    "ml-1m": Size(3_706, 6_040, 1_000_209),
    "ml-25m": Size(62_423, 162_541, 25_000_095),
}
"""As large as these data sets of MovieLens."""


def write_model(folder: Path, size: Size) -> None:
    """Write a model whose users are 1 to `users` and whose movies are 1 to `movies`.

    Its arrays have the dtypes and shapes of a trained one's; the lists are not what the head
    would give, which costs an answer nothing.
    """
    random = np.random.default_rng(42)
    profiles = _profiles(random, size)
    n_ratings = len(profiles.movies)
    info = ModelInfo(
        FORMAT, "2024-01-01", "2024-01-08T00:00:00+00:00", size.users, size.movies, n_ratings,
        "svd+als",
    )  # fmt: skip
    genres = _genres(random, size.movies)
    Artifact(
        info=info,
        genre_names=GENRES,
        rating=as_stored(_rating(random, size), size.movies),
        ranking=as_stored(_ranking(random, size), size.movies),
        arrays=as_stored(_arrays(random, size, profiles, genres), size.movies),
        titles=pa.array([f"A synthetic film, number {n} ({1930 + n % 90})" for n in _ids(size)]),
        genres=pa.array(["|".join(np.array(GENRES)[row]) for row in genres.T]),
    ).write(folder)


def _ids(size: Size) -> range:
    return range(1, size.movies + 1)


def _profiles(random: np.random.Generator, size: Size) -> Profiles:
    """Draw ratings: some people give many, some movies get many."""
    weights = 0.1 + random.exponential(size=size.users)
    counts = random.multinomial(size.ratings, weights / weights.sum())
    owners = np.repeat(np.arange(size.users), np.maximum(counts, 1))
    movies = (size.movies * random.random(len(owners)) ** 2).astype(np.int64)
    pairs = np.unique(owners * size.movies + movies)
    offsets = np.searchsorted(pairs, np.arange(size.users + 1) * size.movies)
    halves = random.integers(1, 11, len(pairs), dtype=np.uint8)
    return Profiles(offsets, pairs % size.movies, halves)


def _genres(
    random: np.random.Generator, movies: int
) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Give each movie two or three genres, (genres, movies)."""
    flags = np.zeros((len(GENRES), movies), dtype=np.bool_)
    for _ in range(3):
        flags[random.integers(0, len(GENRES), movies), np.arange(movies)] = True
    return flags


def _rating(random: np.random.Generator, size: Size) -> FactorRating:
    return FactorRating(
        global_mean=3.5,
        regularization=0.05,
        user_bias=random.normal(0, 0.3, size.users),
        user_factors=random.normal(0, 0.1, (size.users, FACTORS)),
        movie_bias=random.normal(0, 0.3, size.movies),
        movie_factors=random.normal(0, 0.1, (size.movies, FACTORS)),
    )


def _ranking(random: np.random.Generator, size: Size) -> FactorRanking:
    factors = random.normal(0, 0.1, (size.movies, RANKING_FACTORS)).astype(np.float32)
    mean = random.normal(0, 0.1, RANKING_FACTORS).astype(np.float32)
    return FactorRanking(
        regularization=10.0, alpha=2.0, movie_factors=factors, gram=factors.T @ factors, mean=mean
    )


def _arrays(
    random: np.random.Generator,
    size: Size,
    profiles: Profiles,
    genres: np.ndarray[tuple[int, int], np.dtype[np.bool_]],
) -> Arrays:
    step = random.integers(1, size.movies // LIST, (size.users, 1))
    first = random.integers(0, size.movies, (size.users, 1))
    return Arrays(
        movie_ids=np.array(_ids(size)),
        movie_counts=(1 + np.bincount(profiles.movies, minlength=size.movies)).astype(np.int32),
        movie_damped_mean=random.uniform(2, 4.5, size.movies),
        genre_movies=genres,
        user_ids=np.arange(1, size.users + 1, dtype=np.int32),
        rated_offsets=profiles.offsets,
        rated_movies=profiles.movies,
        rated_halves=profiles.halves,
        list_movies=1 + (first + step * np.arange(LIST)) % size.movies,
        list_scores=-np.sort(-random.random((size.users, LIST), dtype=np.float32)),
        list_nearest=random.integers(1, size.movies + 1, (size.users, REASONS)),
    )
