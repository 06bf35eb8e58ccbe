"""Raw MovieLens data by name: brought here once, then read."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd
import pyarrow.parquet as pq

from cinematch_dagster.movielens.errors import (
    BadDatasetError,
    MissingDatasetError,
    UnknownDatasetError,
)
from cinematch_dagster.movielens.sources.download import Progress, download
from cinematch_dagster.movielens.sources.raw_files import read_movies, read_ratings, to_pandas
from cinematch_dagster.movielens.sources.synthetic import Synthetic, write_synthetic
from cinematch_dagster.movielens.sources.unpack import unpack

GROUPLENS: Final = "https://files.grouplens.org/datasets/movielens"
CHECKSUMS: Final[dict[str, str | None]] = {
    "ml-latest-small": None,  # changes from time to time: none is published
    "ml-1m": "c4d9eecfca2ab87c1945afe126590906",
    "ml-25m": "6b51fb2759a8657d3bfcbfc42b592ada",
    "ml-32m": "d472be332d4daa821edc399621853b57",
}
DATASETS: Final = ("sample", *CHECKSUMS, "synthetic")


class RawData(NamedTuple):
    """Data as published, before any cleaning.

    ratings: columns userId, movieId, rating, timestamp.
    movies: columns movieId, title (with the year of release), genres (pipe-separated).
    unparsable: lines that are no rating, see `read_ratings`; None where there can be none.
    """

    ratings: pd.DataFrame
    movies: pd.DataFrame
    unparsable: pd.DataFrame | None = None


def folder_of(dataset: str, data_dir: Path) -> Path:
    """Return the folder where the files of a dataset lie once they are here.

    Raises:
        UnknownDatasetError: the name is none of `DATASETS`.
    """
    if dataset not in DATASETS:
        raise UnknownDatasetError(f"dataset {dataset!r}: expected one of {', '.join(DATASETS)}")
    return data_dir / dataset if dataset == "sample" else data_dir / "raw" / dataset


def fetch(
    dataset: str,
    data_dir: Path,
    source: Path | None = None,
    progress: Progress = lambda _done, _total: None,
    synthetic: Synthetic | None = None,
) -> Path:
    """Bring a dataset here, unless it is: from GroupLens, or from a local zip or folder.

    `synthetic` is made instead, and made again when other numbers are asked for.

    Args:
        dataset: one of `DATASETS`.
        data_dir: the dataset goes to its `folder_of`.
        source: a zip or folder of one that GroupLens publishes; replaces what is here, once it
            was read. No network is touched.
        progress: told of the download, see `Progress`.
        synthetic: what to make when the dataset is `synthetic`; None: a million ratings.

    Returns:
        The dataset's folder.

    Raises:
        UnknownDatasetError: the name is none of `DATASETS`.
        DownloadError: the archive can't be had; names its address.
        BadDatasetError: the archive or folder is damaged or holds something else, or the dataset
            is one that takes no source.
    """
    folder = folder_of(dataset, data_dir)
    if source is not None and dataset not in CHECKSUMS:
        raise BadDatasetError(
            f"{source}: can't replace the dataset {dataset!r}, name what it is with "
            f"--dataset ml-1m (expected one of {', '.join(CHECKSUMS)})"
        )
    if source is not None:
        unpack(source, folder)
    elif dataset == "synthetic":
        write_synthetic(folder, synthetic or Synthetic())
    elif not folder.is_dir():
        archive = folder.with_name(f"{dataset}.zip")
        download(f"{GROUPLENS}/{archive.name}", archive, CHECKSUMS[dataset], progress)
        try:
            unpack(archive, folder)
        finally:
            archive.unlink()
    return folder


def load(dataset: str, data_dir: Path) -> RawData:
    """Read a dataset that is here.

    Raises:
        UnknownDatasetError: the name is none of `DATASETS`.
        MissingDatasetError: it was not fetched yet.
        BadDatasetError: its files can't be used.
    """
    folder = folder_of(dataset, data_dir)
    if not folder.is_dir():
        raise MissingDatasetError(
            f"dataset {dataset!r} is not in {folder}: "
            f"run `cinematch data prepare --dataset {dataset}` first"
        )
    if (folder / "ratings.parquet").is_file():
        tables = (pq.read_table(folder / f"{name}.parquet") for name in ("ratings", "movies"))
        return RawData(*map(to_pandas, tables))
    ratings, unparsable = read_ratings(folder)
    return RawData(ratings, read_movies(folder), unparsable)
