"""Weeks from their files into the warehouse: each bad file, and what is odd but loaded."""

import datetime
import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cinematch_dagster.batches import BadBatchError, write_batch
from cinematch_dagster.pipeline.ingestion.load import LoadedWeek, load_week
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import load_settings
from cinematch_dagster.warehouse.ingestion.baseline import load_movies
from cinematch_dagster.warehouse.ingestion.metadata import IngestionError
from tests.batches import bad_batches
from tests.builders import FIRST_WEEK
from tests.warehouse.support import value

TRACES = (
    "SELECT (SELECT count(*) FROM ratings_buffer) + (SELECT count(*) FROM rating_histogram)"
    " + (SELECT count(*) FROM user_counts) + (SELECT count(*) FROM movie_counts)"
)
T0 = 1_100_000_000


def frame(rows: int, start: int = T0, movies: int = 5, first_user: int = 0) -> pd.DataFrame:
    """Users who rate `movies` movies each, a second apart."""
    n = pd.RangeIndex(rows)
    columns = {
        "userId": first_user + n // movies,
        "movieId": 1 + n % movies,
        "rating": 3.0,
        "timestamp": start + n,
    }
    types = {"userId": "int32", "movieId": "int32", "rating": "float32", "timestamp": "int64"}
    return pd.DataFrame(columns, index=n).astype(types)


def load(dsn: str, number: int, ratings: pd.DataFrame) -> LoadedWeek:
    """Drop a week's file and load it."""
    settings = load_settings()
    write_batch(settings.landing_dir, f"batch_w{number}", ratings, None)
    (loaded,) = load_week(dsn, FIRST_WEEK + datetime.timedelta(weeks=number - 1), settings)
    return loaded


@pytest.mark.parametrize(
    "error", [OSError(errno.EIO, "Input/output error"), pa.ArrowMemoryError("malloc failed")]
)
def test_a_file_is_not_guilty_of_what_the_system_can_t_do(
    platform_settings: Path,
    warehouse_dsn: str,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    assert platform_settings.is_dir()
    load(warehouse_dsn, 1, frame(10))
    with monkeypatch.context() as patch:
        patch.setattr(pq.ParquetFile, "read", raising(error))
        with pytest.raises(type(error)) as caught:
            load(warehouse_dsn, 1, frame(20))
    assert caught.value is error
    with connect(warehouse_dsn) as connection:
        assert value(connection, TRACES) > 0, "the rows of the earlier file stay"
        assert value(connection, "SELECT status FROM ingestion_metadata") == "completed"
    assert load(warehouse_dsn, 1, frame(20)).result.outcome == "replaced"


def test_a_loaded_week_stays_that_week(
    platform_settings: Path, warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert platform_settings.is_dir()
    load(warehouse_dsn, 1, frame(10))
    monkeypatch.setenv("CINEMATCH_DATA__FIRST_WEEK", "2025-01-06")
    load_settings.cache_clear()
    for ratings in (frame(10), frame(20)):
        write_batch(load_settings().landing_dir, "batch_w1", ratings, None)
        with pytest.raises(IngestionError, match=r"loaded as week 2024-01-01 .* data\.first_week"):
            load_week(warehouse_dsn, datetime.date(2025, 1, 6), load_settings())
    with connect(warehouse_dsn) as connection:
        assert value(connection, "SELECT count(*) FROM ratings_buffer") == 10


@pytest.mark.usefixtures("platform_settings")
def test_a_folder_of_parts_is_loaded_as_one_batch(warehouse_dsn: str) -> None:
    settings = load_settings()
    folder = settings.landing_dir / "batch_w1.parquet"
    folder.mkdir()
    for n, part in enumerate((frame(10)[:4], frame(10)[4:])):
        part.set_index("userId").to_parquet(folder / f"part-{n}.parquet")
    results = [load_week(warehouse_dsn, FIRST_WEEK, settings)[0].result for _ in range(2)]
    assert [(result.rows, result.outcome) for result in results] == [
        (10, "loaded"),
        (10, "unchanged"),
    ]


def raising(error: Exception) -> Callable[..., object]:
    def fail(*_: object, **__: object) -> object:
        raise error

    return fail


def test_every_bad_file_marks_its_week_and_leaves_nothing(
    platform_settings: Path, warehouse_dsn: str
) -> None:
    settings = load_settings()
    path = platform_settings / "landing" / "batch_w1.parquet"
    with connect(warehouse_dsn, autocommit=True) as connection:
        for case, bad in bad_batches.CASES.items():
            bad.write(path)
            with pytest.raises(BadBatchError) as caught:
                load_week(warehouse_dsn, FIRST_WEEK, settings)
            status = "SELECT status || ': ' || notes FROM ingestion_metadata"
            assert value(connection, status) == f"failed: {caught.value}", case
            assert value(connection, TRACES) == 0, case
            assert f"{path}: {bad.fault}" in str(caught.value)
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        bad_batches.write_good(path)
        (loaded,) = load_week(warehouse_dsn, FIRST_WEEK, settings)
        assert loaded.result.outcome == "loaded"
        assert value(connection, "SELECT status FROM ingestion_metadata") == "completed"
        assert value(connection, "SELECT count(*) FROM ratings_buffer") == 5


@pytest.mark.usefixtures("platform_settings")
def test_what_is_odd_but_may_be_right_is_loaded_and_said(warehouse_dsn: str) -> None:
    genres = {"genres": "Drama", "title": "Film", "pca_features": [[0.0] * 10] * 5}
    with connect(warehouse_dsn) as connection:
        load_movies(connection, pd.DataFrame({"movieId": range(1, 6), **genres}))
    for number in (1, 2, 3):
        found = load(warehouse_dsn, number, frame(100, T0 + number * 1_000, 5, number * 100))
        assert set(found.findings.values()) == {None}
    ten_times = load(warehouse_dsn, 4, frame(1_000, T0 + 4_000, 5, 4_000))
    assert "1000 rows, expected about 100" in str(ten_times.findings["usual_row_count"])
    unknown = load(warehouse_dsn, 5, frame(100, T0 + 6_000, 50, 9_000))
    assert "90 ratings of 45 unknown movies" in str(unknown.findings["known_movies"])
    again = load(warehouse_dsn, 6, frame(100, T0 + 7_000, 5, 300))
    assert "100 pairs were rated in an earlier batch" in str(again.findings["new_pairs"])
    earlier = load(warehouse_dsn, 7, frame(100, T0 - 9_000, 5, 20_000))
    assert "100 ratings of another week" in str(earlier.findings["own_time"])
    with connect(warehouse_dsn) as connection:
        assert value(connection, "SELECT count(*) FROM ratings_buffer") == 1_600
