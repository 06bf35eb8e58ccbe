"""MovieLens ratings, from the raw files to a baseline, movie features and weekly batches."""

from cinematch_dagster.movielens.clean import clean
from cinematch_dagster.movielens.errors import (
    BadDatasetError,
    DownloadError,
    MissingDatasetError,
    TooManyRejectsError,
    UnknownDatasetError,
)
from cinematch_dagster.movielens.features import MovieFeatures, movie_features
from cinematch_dagster.movielens.injection import Injection, inject, shift
from cinematch_dagster.movielens.prepare import Prepared, WeeklyBatch, prepare
from cinematch_dagster.movielens.reduce import reduce
from cinematch_dagster.movielens.sources.datasets import DATASETS, fetch, load
from cinematch_dagster.movielens.sources.raw_files import RawData
from cinematch_dagster.movielens.sources.synthetic import Synthetic, write_synthetic
from cinematch_dagster.movielens.split import cut_by_time, split_by_time

__all__ = [
    "DATASETS",
    "BadDatasetError",
    "DownloadError",
    "Injection",
    "MissingDatasetError",
    "MovieFeatures",
    "Prepared",
    "RawData",
    "Synthetic",
    "TooManyRejectsError",
    "UnknownDatasetError",
    "WeeklyBatch",
    "clean",
    "cut_by_time",
    "fetch",
    "inject",
    "load",
    "movie_features",
    "prepare",
    "reduce",
    "shift",
    "split_by_time",
    "write_synthetic",
]
