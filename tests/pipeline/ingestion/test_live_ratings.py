from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from cinematch_dagster.batches import read_batch
from cinematch_dagster.defs.ingestion.assets import live_ratings_batch
from cinematch_dagster.defs.resources import RESOURCES
from cinematch_dagster.pipeline.ingestion import live_ratings
from cinematch_dagster.pipeline.ingestion.live_ratings import NoWeekLeftError, write_out
from cinematch_dagster.pipeline.preparation.files import file_sha256
from cinematch_dagster.settings import Settings, load_settings
from serving.live import Event
from serving.live.file_store import FileStore
from serving.live.postgres_store import PostgresStore


@pytest.fixture
def settings(platform_settings: Path) -> Settings:
    assert platform_settings.is_dir()
    return load_settings()


@pytest.fixture
def store(warehouse_dsn: str) -> Iterator[PostgresStore]:
    store = PostgresStore(warehouse_dsn)
    yield store
    store.close()


def written(path: Path) -> list[tuple[int, int, float]]:
    frame, injected = read_batch(path)
    assert injected is None
    return list(
        zip(
            frame["userId"].tolist(), frame["movieId"].tolist(), frame["rating"].tolist(),
            strict=True,
        )
    )  # fmt: skip


def test_the_latest_rating_of_each_pair_is_written_once(
    warehouse_dsn: str, settings: Settings, store: PostgresStore
) -> None:
    for event in (
        Event(1, 10, 4.0), Event(1, 10, 4.0), Event(1, 10, 2.5), Event(2, 10, 5.0),
        Event(2, 20, 3.0), Event(2, 20, None),
    ):  # fmt: skip
        store.add(event)
    (batch,) = write_out(warehouse_dsn, settings)
    assert (batch.batch_id, batch.rows) == ("live_w1", 2)
    assert batch.path == settings.landing_dir / "live_w1.parquet"
    assert sorted(written(batch.path)) == [(1, 10, 2.5), (2, 10, 5.0)]
    assert write_out(warehouse_dsn, settings) == []

    store.add(Event(1, 10, 5.0))
    (following,) = write_out(warehouse_dsn, settings)
    assert (following.batch_id, written(following.path)) == ("live_w2", [(1, 10, 5.0)])


def test_the_batch_comes_after_all_that_are_prepared_or_have_landed(
    warehouse_dsn: str, settings: Settings, store: PostgresStore
) -> None:
    prepared = settings.prepared_dir / "buffer_batches"
    prepared.mkdir(parents=True)
    (prepared / "batch_w4.parquet").touch()
    (settings.landing_dir / "batch_w2.parquet").touch()
    (settings.landing_dir / "notes.parquet").touch()
    store.add(Event(1, 10, 4.0))
    assert [batch.batch_id for batch in write_out(warehouse_dsn, settings)] == ["live_w5"]


def test_what_was_taken_back_takes_no_week(
    warehouse_dsn: str, settings: Settings, store: PostgresStore
) -> None:
    store.add(Event(1, 10, 4.0))
    store.add(Event(1, 10, None))
    assert write_out(warehouse_dsn, settings) == []
    store.add(Event(1, 20, 4.0))
    assert [batch.batch_id for batch in write_out(warehouse_dsn, settings)] == ["live_w1"]


def test_a_run_that_died_before_the_file_is_made_good(
    warehouse_dsn: str, settings: Settings, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> Path:
        raise OSError("no space left")

    store.add(Event(1, 10, 4.0))
    with monkeypatch.context() as patch:
        patch.setattr(live_ratings, "write_batch", die)
        with pytest.raises(OSError, match="no space left"):
            write_out(warehouse_dsn, settings)
    store.add(Event(1, 20, 3.0))
    batches = write_out(warehouse_dsn, settings)
    assert {b.batch_id: written(b.path) for b in batches} == {
        "live_w1": [(1, 10, 4.0)],
        "live_w2": [(1, 20, 3.0)],
    }


def test_the_same_file_is_written_again_with_the_same_bytes(
    warehouse_dsn: str, settings: Settings, store: PostgresStore
) -> None:
    store.add(Event(1, 10, 4.0))
    (batch,) = write_out(warehouse_dsn, settings)
    before = batch.path.read_bytes()
    batch.path.unlink()
    write_out(warehouse_dsn, settings)
    assert batch.path.read_bytes() == before


def test_a_file_that_was_loaded_is_not_written_again(
    warehouse_dsn: str, settings: Settings, store: PostgresStore
) -> None:
    store.add(Event(1, 10, 4.0))
    (batch,) = write_out(warehouse_dsn, settings)
    sha256 = file_sha256(batch.path)
    batch.path.unlink()
    with psycopg.connect(warehouse_dsn) as connection:
        connection.execute(
            "INSERT INTO ingestion_metadata (batch_id, record_count, status, week, sha256)"
            " VALUES ('live_w1', 1, 'completed', '2024-01-01', %s)",
            [sha256],
        )
    assert write_out(warehouse_dsn, settings) == []


def test_ratings_kept_in_a_file_are_taken_over_once(warehouse_dsn: str, settings: Settings) -> None:
    file = FileStore(settings.live_ratings_file)
    file.add(Event(1, 10, 4.0))
    (batch,) = write_out(warehouse_dsn, settings)
    assert written(batch.path) == [(1, 10, 4.0)]
    assert write_out(warehouse_dsn, settings) == []
    file.add(Event(1, 20, 3.0))
    (following,) = write_out(warehouse_dsn, settings)
    assert written(following.path) == [(1, 20, 3.0)]


def test_without_a_week_left_the_ratings_wait(
    warehouse_dsn: str, settings: Settings, store: PostgresStore
) -> None:
    (settings.landing_dir / "batch_w12.parquet").touch()
    store.add(Event(1, 10, 4.0))
    with pytest.raises(NoWeekLeftError, match=r"at most live_w12 was expected \(setting data"):
        write_out(warehouse_dsn, settings)
    (settings.landing_dir / "batch_w12.parquet").unlink()
    assert [batch.rows for batch in write_out(warehouse_dsn, settings)] == [1]


def test_the_asset_says_what_it_wrote(settings: Settings, store: PostgresStore) -> None:
    assert settings.landing_dir.is_dir()

    def rows() -> object:
        run = dg.materialize([live_ratings_batch], resources=RESOURCES)
        (event,) = run.asset_materializations_for_node("live_ratings_batch")
        return event.metadata["dagster/row_count"].value

    assert rows() == 0
    store.add(Event(1, 10, 4.0))
    assert rows() == 1
