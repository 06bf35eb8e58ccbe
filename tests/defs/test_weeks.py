"""Ingestion and drift of weeks inside Dagster runs, on a real Postgres."""

import base64
import datetime
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import dagster as dg
import psycopg
import pytest

from cinematch_dagster.drift import Level
from cinematch_dagster.pipeline.drift.input_digest import current_digests
from cinematch_dagster.pipeline.drift.report import check_week, week_report
from cinematch_dagster.pipeline.ingestion.live_ratings import write_out
from cinematch_dagster.pipeline.preparation.prepare import Folders
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import load_settings
from serving.live import Event
from serving.live.postgres_store import PostgresStore

Run = Callable[..., dg.ExecuteInProcessResult]
Drop = Callable[..., Path]


@pytest.fixture
def database(warehouse_dsn: str) -> Iterator[psycopg.Connection]:
    with connect(warehouse_dsn, autocommit=True) as connection:
        yield connection


def rows(database: psycopg.Connection, query: str) -> list[tuple[object, ...]]:
    return database.execute(query.encode()).fetchall()


def metadata(instance: dg.DagsterInstance, asset: str, week: str) -> dict[str, object]:
    records = instance.fetch_materializations(
        dg.AssetRecordsFilter(dg.AssetKey(asset), asset_partitions=[week]), limit=1
    ).records
    assert records[0].asset_materialization is not None
    return {k: v.value for k, v in records[0].asset_materialization.metadata.items()}


def test_a_week_says_how_many_rows_are_in_file_and_table(
    drop: Drop, run_weeks: Run, instance: dg.DagsterInstance, database: psycopg.Connection
) -> None:
    drop(1)
    assert run_weeks(1, 1).success
    seen = metadata(instance, "ratings_buffer", "2024-01-01")
    assert seen["rows_in_file"] == seen["rows_in_table"] == seen["record_count"] == 2000
    assert rows(database, "SELECT count(*) FROM ratings_buffer") == [(2000,)]
    assert rows(
        database, "SELECT record_count, status FROM ingestion_metadata WHERE batch_id = 'batch_w1'"
    ) == [(2000, "completed")]


def test_a_week_without_a_batch_reports_nothing_of_the_weeks_before_it(
    drop: Drop, run_weeks: Run, database: psycopg.Connection
) -> None:
    for number in (1, 2):
        drop(number, drifted=True)
    assert run_weeks(1, 2).success
    alerts = rows(database, "SELECT count(*) FROM drift_alerts")
    policy = load_settings().drift
    assert week_report(database, datetime.date(2024, 1, 8), policy).level is Level.DRIFT
    for missing in (datetime.date(2024, 1, 15), datetime.date(2024, 12, 23)):
        assert check_week(database, missing, policy).level is Level.EMPTY
        assert current_digests(database, [missing], policy) == {missing: set()}
    assert rows(database, "SELECT count(*) FROM drift_alerts") == alerts


def test_a_range_of_weeks_is_loaded_and_reported_in_one_run(
    drop: Drop, run_weeks: Run, instance: dg.DagsterInstance, database: psycopg.Connection
) -> None:
    for number in (1, 2, 3):
        drop(number, drifted=number == 3)
    assert run_weeks(1, 3).success
    assert len(instance.get_runs()) == 1
    assert rows(
        database, "SELECT week, count(*) FROM drift_alerts GROUP BY week ORDER BY week"
    ) == [(datetime.date(2024, 1, day), 6) for day in (1, 8, 15)]
    assert "DRIFT DETECTED" in str(metadata(instance, "drift_report", "2024-01-15")["verdict"])
    assert metadata(instance, "drift_report", "2024-01-08")["rows since the last promotion"] == 4000


def test_each_week_s_report_shows_its_charts_in_the_ui(
    drop: Drop, run_weeks: Run, instance: dg.DagsterInstance
) -> None:
    drop(1)
    drop(2, drifted=True)
    run_weeks(1, 2)
    drawn = []
    for week in ("2024-01-01", "2024-01-08"):
        markdown = str(metadata(instance, "drift_report", week)["charts"])
        found = re.fullmatch(r"!\[Drift\]\(data:image/svg\+xml;base64,(.*)\)", markdown)
        assert found is not None
        drawn.append(base64.b64decode(found[1], validate=True).decode())
        assert ElementTree.fromstring(drawn[-1]).tag == "{http://www.w3.org/2000/svg}svg"
    assert ["week of 8 January 2024" in svg for svg in drawn] == [False, True]
    # A dot a test and week: the first report knows one week, the second two; one is in the legend.
    assert [svg.count("<circle") for svg in drawn] == [1 + 3, 1 + 6]


def test_the_same_weeks_again_change_no_row(
    drop: Drop, run_weeks: Run, instance: dg.DagsterInstance, database: psycopg.Connection
) -> None:
    drop(1)
    run_weeks(1, 1)
    before = rows(database, 'SELECT * FROM ratings_buffer ORDER BY "userId"')
    assert run_weeks(1, 1).success
    assert rows(database, 'SELECT * FROM ratings_buffer ORDER BY "userId"') == before
    assert metadata(instance, "ratings_buffer", "2024-01-01")["outcome"] == "unchanged"


def test_a_week_without_a_file_fails_by_name_and_takes_no_other_along(
    drop: Drop, run_weeks: Run, instance: dg.DagsterInstance, database: psycopg.Connection
) -> None:
    drop(1)
    drop(3)
    result = run_weeks(1, 3, raise_on_error=False)
    assert not result.success
    failure = result.failure_data_for_node("ratings_buffer")
    assert failure is not None
    assert failure.error is not None
    assert "week 2024-01-08 has no batch file, batch_w2.parquet was expected" in str(
        failure.error.message
    )
    assert rows(database, "SELECT DISTINCT batch_id FROM ratings_buffer ORDER BY 1") == [
        ("batch_w1",),
        ("batch_w3",),
    ]
    assert metadata(instance, "ratings_buffer", "2024-01-15")["rows_in_table"] == 2000


def test_a_bad_file_is_refused_whole_and_its_week_is_marked(
    drop: Drop, run_weeks: Run, database: psycopg.Connection
) -> None:
    path = drop(1)
    path.write_bytes(path.read_bytes()[:-20])
    assert not run_weeks(1, 1, raise_on_error=False).success
    ((status, notes),) = rows(
        database, "SELECT status, notes FROM ingestion_metadata WHERE batch_id = 'batch_w1'"
    )
    assert status == "failed"
    assert "batch_w1.parquet" in str(notes)
    assert rows(database, "SELECT count(*) FROM ratings_buffer") == [(0,)]


def test_a_bad_week_takes_no_other_along_and_loads_once_it_is_mended(
    drop: Drop, run_weeks: Run, database: psycopg.Connection
) -> None:
    good = {number: drop(number) for number in (1, 2, 3)}
    content = good[2].read_bytes()
    good[2].write_bytes(content[:-20])
    assert not run_weeks(1, 3, raise_on_error=False).success
    status = "SELECT status FROM ingestion_metadata WHERE batch_id <> 'baseline' ORDER BY week"
    assert rows(database, status) == [("completed",), ("failed",), ("completed",)]
    good[2].write_bytes(content)
    assert run_weeks(2, 2).success
    assert rows(database, status) == [("completed",)] * 3
    assert rows(database, "SELECT count(*) FROM ratings_buffer") == [(6000,)]


def test_the_check_shows_drift_as_a_warning(drop: Drop, run_weeks: Run) -> None:
    drop(1, drifted=True)
    checks = {c.check_name: c for c in run_weeks(1, 1).get_asset_check_evaluations()}
    assert not checks["rating_drift"].passed
    assert checks["rating_drift"].severity is dg.AssetCheckSeverity.WARN


def test_a_week_of_the_feed_and_of_live_ratings_is_one_partition(
    drop: Drop,
    run_weeks: Run,
    instance: dg.DagsterInstance,
    database: psycopg.Connection,
    warehouse_dsn: str,
) -> None:
    store = PostgresStore(warehouse_dsn)
    for user in range(4):
        store.add(Event(user, 10, 4.0))
    store.close()
    write_out(warehouse_dsn, load_settings())
    drop(1)
    assert run_weeks(1, 1).success
    seen = metadata(instance, "ratings_buffer", "2024-01-01")
    assert seen["batch_id"] == "batch_w1, live_w1"
    assert seen["rows_in_file"] == seen["rows_in_table"] == seen["record_count"] == 2004
    assert rows(database, "SELECT DISTINCT n FROM latest_drift_verdicts") == [(2004,)]
    assert rows(database, "SELECT count(*) FROM ratings_buffer") == [(2004,)]


def test_a_week_that_was_prepared_but_has_not_landed_is_materialized(
    drop: Drop, run_weeks: Run, instance: dg.DagsterInstance
) -> None:
    landed = drop(1)
    prepared = Folders(load_settings().prepared_dir).batches
    prepared.mkdir(parents=True)
    landed.rename(prepared / landed.name)
    assert run_weeks(1, 1).success
    assert metadata(instance, "ratings_buffer", "2024-01-01")["rows_in_table"] == 2000
