"""The ratings that are measured: synthetic, in the shape and order of MovieLens."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from cinematch_dagster.batches import make_batches
from cinematch_dagster.movielens import (
    Synthetic,
    clean,
    cut_by_time,
    split_by_time,
    write_synthetic,
)

WEEKLY: Final = 43_256  # ratings in a week of the full data set
WEEKS: Final = 7
TRAIN_SHARE: Final = 0.7


@dataclass(frozen=True)
class History:
    """A history of ratings.

    baseline: ratings frame with `data_split`. weeks: what follows it, a ratings frame each.
    movies: movieId, title, genres.
    """

    baseline: pd.DataFrame
    weeks: list[pd.DataFrame]
    movies: pd.DataFrame


def make_history(folder: Path, rows: int, weekly: int = WEEKLY) -> History:
    """Make a baseline of `rows` ratings and seven weeks of `weekly` more each."""
    ratings, movies = _synthetic(folder, rows + WEEKS * weekly)
    usable, _ = clean(ratings)
    baseline, rest = cut_by_time(usable, (rows + 0.5) / len(usable))
    return History(split_by_time(baseline, TRAIN_SHARE), make_batches(rest, WEEKS), movies)


def write_raw(folder: Path, rows: int) -> Path:
    """Write ratings.parquet and movies.parquet, the ratings by user as MovieLens publishes them."""
    ratings, movies = _synthetic(folder / "drawn", rows)
    raw = folder / "raw"
    raw.mkdir(parents=True)
    ratings.sort_values(["userId", "movieId"]).to_parquet(raw / "ratings.parquet", index=False)
    movies.to_parquet(raw / "movies.parquet", index=False)
    return raw


def _synthetic(folder: Path, rows: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    write_synthetic(folder, Synthetic(rows))
    return pd.read_parquet(folder / "ratings.parquet"), pd.read_parquet(folder / "movies.parquet")
