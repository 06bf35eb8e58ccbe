"""From a dataset to the baseline, the weekly batch files and the movie features."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cinematch_dagster.batches import write_batch
from cinematch_dagster.movielens import (
    Injection,
    MovieFeatures,
    Prepared,
    RawData,
    Synthetic,
    TooManyRejectsError,
    fetch,
    load,
    movie_features,
    prepare,
)
from cinematch_dagster.movielens.sources.download import Progress
from cinematch_dagster.settings import Settings
from serving.base.files import replacing

INITIAL_FILE = "ratings_initial_ml.parquet"
FEATURES_FILE = "movie_features_small.parquet"
REJECTS_FILE = "rejects.csv"


@dataclass(frozen=True)
class Folders:
    """Where the preparation writes below the prepared folder."""

    prepared: Path

    @property
    def batches(self) -> Path:
        """One file per week of real ratings."""
        return self.prepared / "buffer_batches"

    @property
    def injected(self) -> Path:
        """The batch with injected drift, apart from the real ones."""
        return self.prepared / "injected_batches"


def fetch_dataset(
    settings: Settings, source: Path | None = None, progress: Progress = lambda _done, _total: None
) -> Path:
    """Bring the profile's dataset here, unless it is; see `movielens.fetch`.

    A source replaces what is here only if the profile's weeks can be made of it.

    Raises:
        DataError: they can't, or the dataset can't be had.
    """
    data = settings.data

    def accept(raw: RawData) -> None:
        _prepared(raw, settings)
        movie_features(raw.movies)

    synthetic = Synthetic(ratings=data.synthetic_ratings)
    return fetch(data.dataset, settings.data_dir, source, progress, synthetic, accept)


def prepare_ratings(settings: Settings) -> Prepared:
    """Clean and cut the dataset's ratings, and write baseline, batches and rejects.

    Batch files of an earlier preparation are removed first.

    Raises:
        TooManyRejectsError: naming the file that has the rejects; nothing else was written.
    """
    folders = Folders(settings.prepared_dir)
    prepared = _prepared(load(settings.data.dataset, settings.data_dir), settings)
    folders.prepared.mkdir(parents=True, exist_ok=True)
    _write(prepared.baseline, folders.prepared / INITIAL_FILE)
    prepared.rejects.to_csv(folders.prepared / REJECTS_FILE, index=False)
    for folder in (folders.batches, folders.injected):
        shutil.rmtree(folder, ignore_errors=True)
    for batch in prepared.batches:
        write_batch(folders.injected if batch.injected else folders.batches, *batch)
    return prepared


def _prepared(raw: RawData, settings: Settings) -> Prepared:
    """Clean and cut ratings; where too many can't be used, write the rejects alone."""
    data = settings.data
    try:
        return prepare(
            raw.ratings,
            start=data.start,
            end=data.end,
            most_recent=data.most_recent,
            baseline_share=data.baseline_share,
            train_share=data.train_share,
            batches=data.batches,
            injection=Injection(**settings.injection.model_dump()),
            movies=raw.movies,
            unparsable=raw.unparsable,
            max_bad_share=data.max_rejected_share,
        )
    except TooManyRejectsError as error:
        rejects_file = settings.prepared_dir / REJECTS_FILE
        rejects_file.parent.mkdir(parents=True, exist_ok=True)
        error.rejects.to_csv(rejects_file, index=False)
        raise TooManyRejectsError(f"{error}: see {rejects_file}", error.rejects) from error


def prepare_features(settings: Settings) -> MovieFeatures:
    """Reduce the movies' genres, and write their features."""
    features = movie_features(load(settings.data.dataset, settings.data_dir).movies)
    settings.prepared_dir.mkdir(parents=True, exist_ok=True)
    _write(features.frame, settings.prepared_dir / FEATURES_FILE)
    return features


def _write(frame: pd.DataFrame, path: Path) -> None:
    with replacing(path) as partial:
        frame.to_parquet(partial, index=False)
