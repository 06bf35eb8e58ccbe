"""Pages and the dashboard's data follow what is known; what has not changed is not written."""

import datetime
import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from cinematch_dagster.batches.weeks import WEEK
from cinematch_dagster.defs.operations.sensors import pages_sensor
from cinematch_dagster.defs.resources import RESOURCES
from cinematch_dagster.pipeline.drift.report import check_week
from cinematch_dagster.pipeline.operations import pages
from cinematch_dagster.pipeline.operations.pages import outdated, pictures, write_pages
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import Settings, load_settings
from cinematch_dagster.warehouse.ingestion.baseline import load_baseline
from cinematch_dagster.warehouse.ingestion.batches import load_batch, record_failure
from cinematch_dagster.warehouse.registry.production import record_rollback
from cinematch_dagster.warehouse.registry.promotions import record_promotion
from cinematch_dagster.warehouse.retraining.decisions import Decision, record_decision
from tests.warehouse.support import batch, many, promotion, week


@pytest.fixture
def warehouse(warehouse_dsn: str, settings: Settings) -> str:
    """Three loaded weeks with a verdict, version 1 in production, and their pages."""
    with connect(warehouse_dsn) as connection:
        baseline = many(40).assign(data_split=["train"] * 30 + ["test"] * 10)
        load_baseline(connection, baseline, "a", week(0))
        record_promotion(connection, promotion("1", 0))
    for number in (1, 2, 3):
        load_batch(warehouse_dsn, batch(number, many(20, seed=number)))
    with connect(warehouse_dsn) as connection:
        for number in (1, 2, 3):
            check_week(connection, week(number), settings.drift)
        assert write_pages(connection, settings) == [week(1), week(2), week(3)]
    return warehouse_dsn


@pytest.fixture
def settings(platform_settings: Path) -> Settings:
    assert platform_settings.is_dir()
    return load_settings()


@pytest.fixture
def connection(warehouse: str) -> Iterator[psycopg.Connection]:
    with connect(warehouse) as connection:
        yield connection


def times(settings: Settings) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in settings.reports_dir.iterdir()}


def dashboard(settings: Settings) -> dict[str, list[dict[str, object]]]:
    tables: dict[str, list[dict[str, object]]] = json.loads(
        (settings.reports_dir / "dashboard.json").read_text()
    )["tables"]
    return tables


def test_what_has_not_changed_is_not_written(
    connection: psycopg.Connection, settings: Settings
) -> None:
    before = times(settings)
    assert write_pages(connection, settings) == []
    assert times(settings) == before


def test_a_decision_is_shown_on_its_week_alone(
    connection: psycopg.Connection, settings: Settings
) -> None:
    reason = "No retraining: there is no alert that counts"
    record_decision(
        connection, Decision("no_action", reason, 60, None, (), (week(2),), None, "2024-01-08")
    )
    assert write_pages(connection, settings) == [week(2)]
    assert reason in (settings.reports_dir / f"{week(2)}.html").read_text()
    assert dashboard(settings)["decisions"][0]["reason"] == reason


def test_a_promotion_and_a_rollback_are_shown(
    connection: psycopg.Connection, settings: Settings
) -> None:
    record_promotion(connection, promotion("2", 3, from_version="1"))
    assert write_pages(connection, settings) == [week(3)]
    record_rollback(connection, None, why="it answers nonsense", who="ada")
    write_pages(connection, settings)
    assert "Rolled back from version 2 by ada" in str(dashboard(settings)["promotions"][0])


def test_a_failed_load_is_shown_though_no_week_changed(
    connection: psycopg.Connection, settings: Settings
) -> None:
    failed = batch(4, many(20, seed=4))
    record_failure(connection, failed.batch_id, failed.week, "ab" * 32, "rating 9.5 in row 3")
    assert write_pages(connection, settings) == []
    assert dashboard(settings)["batches"][0]["notes"] == "rating 9.5 in row 3"


def test_a_verdict_is_drawn_on_the_pages_after_it_too(
    connection: psycopg.Connection, settings: Settings
) -> None:
    check_week(connection, week(2), settings.drift)
    assert write_pages(connection, settings) == [week(2), week(3)]


@pytest.mark.parametrize("spoilt", ["{", "[]", None])
def test_files_that_are_gone_or_broken_are_written_again(
    spoilt: str | None, connection: psycopg.Connection, settings: Settings
) -> None:
    if spoilt is None:
        (settings.reports_dir / f"{week(2)}.html").unlink()
        assert write_pages(connection, settings) == [week(2)]
    else:
        (settings.reports_dir / "written.json").write_text(spoilt)
        (settings.reports_dir / "dashboard.json").write_text(spoilt)
        assert write_pages(connection, settings) == [week(1), week(2), week(3)]
        assert dashboard(settings)["batches"]
    assert outdated(connection, settings.reports_dir) == {}


def test_the_sensor_writes_some_weeks_a_tick_and_reports_them(
    warehouse: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (settings.reports_dir / "written.json").unlink()
    monkeypatch.setattr(pages, "MOST_AT_ONCE", 2)
    told: list[object] = []
    for _ in range(3):
        with dg.build_sensor_context(resources=RESOURCES) as context:
            result = pages_sensor(context)
        assert isinstance(result, dg.SensorResult)
        told.append([dict(event.metadata)["weeks"].value for event in result.asset_events])
    assert told == [[f"{week(1)}, {week(2)}"], [str(week(3))], []]
    with connect(warehouse) as connection:
        assert set(pictures(connection, [week(3)])) == {week(3)}


COPIES = """
INSERT INTO ingestion_metadata (batch_id, record_count, status, week, sha256)
SELECT 'batch_w' || n, 20, 'completed', %(first)s::date + 7 * (n - 1), md5(n::text)
FROM generate_series(4, 520) AS n;
"""


def test_one_week_of_520_costs_one_page(
    warehouse: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[datetime.date] = []
    page = pages._page

    def counted(connection: psycopg.Connection, week: datetime.date, settings: Settings) -> str:
        drawn.append(week)
        return page(connection, week, settings) if len(drawn) == 1 else ""

    with connect(warehouse) as connection:
        connection.execute(COPIES.replace("%(first)s", f"'{week(1)}'").encode())
        for number in range(4, 521):
            check_week(connection, week(1) + (number - 1) * WEEK, settings.drift)
        monkeypatch.setattr(pages, "_page", counted)
        assert len(write_pages(connection, settings)) == len(drawn) == 517
        drawn.clear()
        last = week(1) + 519 * WEEK
        check_week(connection, last, settings.drift)
        assert write_pages(connection, settings) == drawn == [last]
        assert (settings.reports_dir / "index.html").stat().st_size < 200_000
