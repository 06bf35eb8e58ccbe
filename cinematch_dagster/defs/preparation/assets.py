"""The way from MovieLens to Postgres and to one file per week; every step can be run again."""

from collections.abc import Iterator

import dagster as dg
import pandas as pd

from cinematch_dagster.batches import week_zero
from cinematch_dagster.batches.errors import DataError
from cinematch_dagster.defs.metadata import picture
from cinematch_dagster.defs.resources import WarehouseResource
from cinematch_dagster.defs.retries import final, transient_faults
from cinematch_dagster.movielens import load
from cinematch_dagster.movielens.errors import BadDatasetError
from cinematch_dagster.movielens.profile.page import profile_page, profile_picture
from cinematch_dagster.movielens.profile.statistics import profile
from cinematch_dagster.pipeline.preparation import prepare
from cinematch_dagster.pipeline.preparation.files import file_sha256
from cinematch_dagster.pipeline.preparation.prepare import FEATURES_FILE, INITIAL_FILE, Folders
from cinematch_dagster.settings import Settings
from cinematch_dagster.warehouse.ingestion.baseline import load_baseline, load_movies
from cinematch_dagster.warehouse.ingestion.metadata import IngestionError
from serving.base.files import replace_text

GROUP = "preparation"
OWNERS = ["team:data-platform"]


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    retry_policy=transient_faults,
    kinds={"parquet"},
    description="Ratings and movies of the profile's MovieLens dataset, as published.",
)
def raw_movielens(settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult[None]:
    """Bring the dataset here, unless it is, and say what it holds."""
    with final(BadDatasetError):  # a download that failed may succeed
        prepare.fetch_dataset(settings)
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
            description=(
                "The oldest ratings, cleaned and split by time into train and test: what the first "
                "model learns from, and what later weeks are compared with."
            ),
            group_name=GROUP,
            owners=OWNERS,
        ),
        dg.AssetSpec(
            "buffer_batches",
            deps=[raw_movielens],
            kinds={"parquet"},
            description=(
                "The ratings after those: one file per week, in the order of time. A week begins "
                "when its file is copied into the landing folder."
            ),
            group_name=GROUP,
            owners=OWNERS,
        ),
    ],
    name="prepare_ratings",
    retry_policy=transient_faults,
)
def prepare_ratings(settings: dg.ResourceParam[Settings]) -> Iterator[dg.MaterializeResult[None]]:
    """Clean and cut the ratings; injected drift lies in a folder of its own."""
    folders = Folders(settings.prepared_dir)
    with final(DataError):
        done = prepare.prepare_ratings(settings)
    yield dg.MaterializeResult(
        asset_key="initial_ratings",
        metadata={
            "dagster/row_count": len(done.baseline),
            "rows by split": {str(k): int(n) for k, n in _counts(done.baseline["data_split"])},
            "rejected by reason": {str(k): int(n) for k, n in _counts(done.rejects["reason"])},
            "file": dg.MetadataValue.path(str(folders.prepared / INITIAL_FILE)),
        },
    )
    yield dg.MaterializeResult(
        asset_key="buffer_batches",
        metadata={
            "rows by batch": {batch.batch_id: len(batch.ratings) for batch in done.batches},
            "injected drift": {b.batch_id: b.injected for b in done.batches if b.injected},
            "folder": dg.MetadataValue.path(str(folders.batches)),
        },
    )


def _counts(column: "pd.Series[str]") -> Iterator[tuple[object, int]]:
    return iter(column.value_counts().items())


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    retry_policy=transient_faults,
    deps=[raw_movielens],
    kinds={"parquet", "html"},
    description="What the dataset is like: stars, time, active users, popular movies, sparsity.",
)
def dataset_profile(settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult[None]:
    """Measure the dataset, and write a page of it beside the drift reports."""
    raw = load(settings.data.dataset, settings.data_dir)
    found = profile(raw.ratings, raw.movies)
    page = settings.reports_dir / "profile.html"
    replace_text(page, profile_page(found, settings.data.dataset))
    drawn = profile_picture(found, settings.data.dataset).encode()
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": found.n_ratings,
            "users": found.users.n,
            "movies": found.movies.n,
            "mean rating": found.mean,
            "sparsity": found.sparsity,
            "half stars": found.half_stars,
            "implausible": found.implausible,
            "page": dg.MetadataValue.url(f"{settings.reports_url}/{page.name}"),
            "pictures": picture(drawn, "svg+xml", "profile"),
        }
    )


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    retry_policy=transient_faults,
    deps=[raw_movielens],
    kinds={"parquet", "scikitlearn"},
    name="movie_features",
    description="Title and genres of every movie, and its genres as ten principal components.",
)
def movie_features_asset(settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult[None]:
    """Reduce the genres and write the features."""
    features = prepare.prepare_features(settings)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(features.frame),
            "explained variance": float(features.explained_variance.sum()),
            "file": dg.MetadataValue.path(str(settings.prepared_dir / FEATURES_FILE)),
        }
    )


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    retry_policy=transient_faults,
    deps=["initial_ratings"],
    kinds={"postgres"},
    description=(
        "The train and test ratings in Postgres. A week of the buffer joins them when a model that "
        "was trained on it is promoted."
    ),
)
def ratings(
    warehouse: WarehouseResource, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult[None]:
    """Load the baseline; the same baseline again changes nothing."""
    path = settings.prepared_dir / INITIAL_FILE
    week = week_zero(settings.data.first_week)
    with warehouse.transaction() as connection, final(IngestionError):
        rows = load_baseline(connection, pd.read_parquet(path), file_sha256(path), week)
    return dg.MaterializeResult(metadata={"baseline rows": rows})


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    retry_policy=transient_faults,
    deps=["movie_features"],
    kinds={"postgres"},
    description="Every movie in Postgres: title, genres and features.",
)
def movies(
    warehouse: WarehouseResource, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult[None]:
    """Load the movies, replacing what is known of each."""
    frame = pd.read_parquet(settings.prepared_dir / FEATURES_FILE)
    with warehouse.transaction() as connection:
        rows = load_movies(connection, frame)
    return dg.MaterializeResult(metadata={"dagster/row_count": rows})
