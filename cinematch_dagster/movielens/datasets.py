"""Raw MovieLens data by name."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from cinematch_dagster.movielens.errors import UnknownDatasetError

DATASETS = ("sample",)


class RawData(NamedTuple):
    """Data as published, before any cleaning.

    ratings: columns userId, movieId, rating, timestamp.
    movies: columns movieId, title (with the year of release), genres (pipe-separated).
    """

    ratings: pd.DataFrame
    movies: pd.DataFrame


def load(dataset: str, data_dir: Path) -> RawData:
    """Read a dataset from its folder below `data_dir`.

    Raises:
        UnknownDatasetError: the name is none of `DATASETS`.
    """
    if dataset not in DATASETS:
        raise UnknownDatasetError(f"dataset {dataset!r}: expected one of {', '.join(DATASETS)}")
    folder = data_dir / dataset
    return RawData(
        ratings=pd.read_parquet(folder / "ratings.parquet"),
        movies=pd.read_parquet(folder / "movies.parquet"),
    )
