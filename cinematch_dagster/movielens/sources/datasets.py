"""Raw MovieLens data by name: brought here once, then read."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from cinematch_dagster.movielens.errors import (
    BadDatasetError,
    MissingDatasetError,
    UnknownDatasetError,
)
from cinematch_dagster.movielens.sources.download import Progress, download
from cinematch_dagster.movielens.sources.raw_files import RawData, read_raw, to_pandas
from cinematch_dagster.movielens.sources.synthetic import Synthetic, write_synthetic
from cinematch_dagster.movielens.sources.unpack import Accept, unpack

GROUPLENS: Final = "https://files.grouplens.org/datasets/movielens"
CHECKSUMS: Final[dict[str, str | None]] = {
    "ml-latest-small": None,  # changes from time to time: none is published
    "ml-1m": "c4d9eecfca2ab87c1945afe126590906",
    "ml-25m": "6b51fb2759a8657d3bfcbfc42b592ada",
    "ml-32m": "d472be332d4daa821edc399621853b57",
}
DATASETS: Final = ("sample", *CHECKSUMS, "synthetic")
PUBLISHED: Final = {"ml-1m": 1_000_209, "ml-25m": 25_000_095, "ml-32m": 32_000_204}
"""How many ratings those have that don't change."""


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
    accept: Accept = lambda _raw: None,
) -> Path:
    """Bring a dataset here, unless it is: from GroupLens, or from a local zip or folder.

    `synthetic` is made instead, and made again when other numbers are asked for.

    Args:
        dataset: one of `DATASETS`.
        data_dir: the dataset goes to its `folder_of`.
        source: a zip or folder of one that GroupLens publishes; replaces what is here, once it
            was read and accepted. No network is touched.
        progress: told of the download, see `Progress`.
        synthetic: what to make when the dataset is `synthetic`; None: a million ratings.
        accept: asked about what was read from a source, before it replaces anything.

    Returns:
        The dataset's folder.

    Raises:
        UnknownDatasetError: the name is none of `DATASETS`.
        DownloadError: the archive can't be had; names its address.
        BadDatasetError: the archive or folder is damaged or holds something else, or the dataset
            is one that takes no source.
        Exception: whatever `accept` raises.
    """
    folder = folder_of(dataset, data_dir)
    if source is not None and dataset not in CHECKSUMS:
        raise BadDatasetError(
            f"{source}: can't replace the dataset {dataset!r}, name what it is with "
            f"--dataset ml-1m (expected one of {', '.join(CHECKSUMS)})"
        )
    if source is not None:

        def accept_this(raw: RawData) -> None:
            _refuse_larger(dataset, source, len(raw.ratings))
            accept(raw)

        unpack(source, folder, dataset, accept_this)
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


def _refuse_larger(dataset: str, source: Path, n_ratings: int) -> None:
    """Refuse more ratings than were published: they are another dataset's."""
    if n_ratings > PUBLISHED.get(dataset, n_ratings):
        raise BadDatasetError(
            f"{source}: holds {n_ratings} ratings, expected at most the {PUBLISHED[dataset]} of "
            f"{dataset}: name what it is with --dataset"
        )


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
    return read_raw(folder)
