"""The way from MovieLens to Postgres and to one file per week; every step can be run again."""

from collections.abc import Iterator

import dagster as dg
import pandas as pd

from cinematch_dagster.defs.ingestion.landing import file_sha256
from cinematch_dagster.defs.resources import WarehouseResource
from cinematch_dagster.movielens import load, movie_features, prepare, week_zero, write_batch
from cinematch_dagster.settings import load_settings
from cinematch_dagster.warehouse.baseline import load_baseline, load_movies

INITIAL_FILE = "ratings_initial_ml.parquet"
FEATURES_FILE = "movie_features_small.parquet"
GROUP = "preparation"
OWNERS = ["team:data-platform"]


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    kinds={"parquet"},
    description="MovieLens as published: ratings and movies of the profile's dataset.",
)
def raw_movielens() -> dg.MaterializeResult[None]:
    """Make sure that the dataset is there, and say what it holds."""
    settings = load_settings()
    raw = load(settings.data.dataset, settings.data_dir)
    return dg.MaterializeResult(
        metadata={
            "dataset": settings.data.dataset,
            "dagster/row_count": len(raw.ratings),
            "users": int(raw.ratings["userId"].nunique()),
            "movies": len(raw.movies),
            "preview": dg.MetadataValue.md(raw.ratings.head().to_html(index=False)),
        }
    )


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            "initial_ratings",
            deps=[raw_movielens],
            kinds={"parquet"},
            description="The oldest ratings, cleaned: the baseline, split by time into train/test.",
            group_name=GROUP,
            owners=OWNERS,
        ),
        dg.AssetSpec(
            "buffer_batches",
            deps=[raw_movielens],
            kinds={"parquet"},
            description="What follows the baseline: one file per week, in the order of time.",
            group_name=GROUP,
            owners=OWNERS,
        ),
    ],
    name="prepare_ratings",
)
def prepare_ratings() -> Iterator[dg.MaterializeResult[None]]:
    """Clean and cut the ratings; injected drift lies in a folder of its own."""
    settings = load_settings()
    data, folder = settings.data, settings.prepared_dir
    folder.mkdir(parents=True, exist_ok=True)
    done = prepare(
        load(data.dataset, settings.data_dir).ratings,
        start=data.start,
        most_recent=data.most_recent,
        baseline_share=data.baseline_share,
        train_share=data.train_share,
        batches=data.batches,
        injected_shift=settings.injection.shift,
    )
    done.rejects.to_parquet(folder / "rejects.parquet")
    done.baseline.to_parquet(folder / INITIAL_FILE, index=False)
    for batch in done.batches:
        name = "injected_batches" if batch.injected else "buffer_batches"
        write_batch(folder / name, *batch)
    yield dg.MaterializeResult(
        asset_key="initial_ratings",
        metadata={
            "dagster/row_count": len(done.baseline),
            "rows by split": {str(k): int(n) for k, n in _counts(done.baseline["data_split"])},
            "rejected by reason": {str(k): int(n) for k, n in _counts(done.rejects["reason"])},
            "file": dg.MetadataValue.path(str(folder / INITIAL_FILE)),
        },
    )
    yield dg.MaterializeResult(
        asset_key="buffer_batches",
        metadata={
            "rows by batch": {batch.batch_id: len(batch.ratings) for batch in done.batches},
            "injected drift": {b.batch_id: b.injected for b in done.batches if b.injected},
            "folder": dg.MetadataValue.path(str(folder / "buffer_batches")),
        },
    )


def _counts(column: "pd.Series[str]") -> Iterator[tuple[object, int]]:
    return iter(column.value_counts().items())


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    deps=[raw_movielens],
    kinds={"parquet", "scikitlearn"},
    name="movie_features",
    description="Each movie's genres as ten principal components.",
)
def movie_features_asset() -> dg.MaterializeResult[None]:
    """Reduce the genres and write the features."""
    settings = load_settings()
    features = movie_features(load(settings.data.dataset, settings.data_dir).movies)
    path = settings.prepared_dir / FEATURES_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    features.frame.to_parquet(path, index=False)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(features.frame),
            "explained variance": float(features.explained_variance.sum()),
            "file": dg.MetadataValue.path(str(path)),
        }
    )


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    deps=["initial_ratings"],
    kinds={"postgres"},
    description="The ratings that models are trained and tested on; merged weeks join them later.",
)
def ratings(warehouse: WarehouseResource) -> dg.MaterializeResult[None]:
    """Load the baseline; the same baseline again changes nothing."""
    settings = load_settings()
    path = settings.prepared_dir / INITIAL_FILE
    week = week_zero(settings.data.first_week)
    with warehouse.transaction() as connection:
        rows = load_baseline(connection, pd.read_parquet(path), file_sha256(path), week)
    return dg.MaterializeResult(metadata={"baseline rows": rows})


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    deps=["movie_features"],
    kinds={"postgres"},
    description="Titles, genres and features of every movie.",
)
def movies(warehouse: WarehouseResource) -> dg.MaterializeResult[None]:
    """Load the movies, replacing what is known of each."""
    frame = pd.read_parquet(load_settings().prepared_dir / FEATURES_FILE)
    with warehouse.transaction() as connection:
        rows = load_movies(connection, frame)
    return dg.MaterializeResult(metadata={"dagster/row_count": rows})
