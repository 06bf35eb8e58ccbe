"""MovieLens ratings, from the raw files to a baseline, movie features and weekly batches."""

from cinematch_dagster.movielens.batches import make_batches, read_batch, write_batch
from cinematch_dagster.movielens.clean import clean
from cinematch_dagster.movielens.datasets import (
    DATASETS,
    RawData,
    fetch,
    load,
)
from cinematch_dagster.movielens.errors import (
    BadBatchError,
    BadDatasetError,
    BadWeekError,
    DownloadError,
    MissingDatasetError,
    MovieLensError,
    TooManyRejectsError,
    UnknownDatasetError,
)
from cinematch_dagster.movielens.features import MovieFeatures, movie_features
from cinematch_dagster.movielens.injection import Injection, inject, shift
from cinematch_dagster.movielens.prepare import Prepared, WeeklyBatch, prepare
from cinematch_dagster.movielens.ratings import has_half_stars
from cinematch_dagster.movielens.reduce import reduce
from cinematch_dagster.movielens.split import cut_by_time, split_by_time
from cinematch_dagster.movielens.synthetic import Synthetic, write_synthetic
from cinematch_dagster.movielens.weeks import batch_id, week_of, week_zero

__all__ = [
    "DATASETS",
    "BadBatchError",
    "BadDatasetError",
    "BadWeekError",
    "DownloadError",
    "Injection",
    "MissingDatasetError",
    "MovieFeatures",
    "MovieLensError",
    "Prepared",
    "RawData",
    "Synthetic",
    "TooManyRejectsError",
    "UnknownDatasetError",
    "WeeklyBatch",
    "batch_id",
    "clean",
    "cut_by_time",
    "fetch",
    "has_half_stars",
    "inject",
    "load",
    "make_batches",
    "movie_features",
    "prepare",
    "read_batch",
    "reduce",
    "shift",
    "split_by_time",
    "week_of",
    "week_zero",
    "write_batch",
    "write_synthetic",
]
