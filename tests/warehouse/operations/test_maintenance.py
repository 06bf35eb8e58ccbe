import datetime
import threading

import psycopg
import pytest

from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.warehouse.drift.alerts import AlertRow, record_alerts
from cinematch_dagster.warehouse.ingestion.baseline import load_baseline
from cinematch_dagster.warehouse.operations.maintenance import (
    TableSize,
    archive_alerts,
    database_size,
    maintain,
    table_sizes,
)
from cinematch_dagster.warehouse.retraining.decisions import Decision, open_alerts, record_decision
from tests.warehouse.support import many, value, week

DAY = datetime.timedelta(days=1)
ALERTS = "SELECT * FROM {} ORDER BY id"


def alert(number: int, score: float = 0.2) -> AlertRow:
    fired = score > 0.1
    return AlertRow(week(number), "cumulative", "rating_mean", score, 0.1, fired, f"sha {number}")


@pytest.fixture
def aged(connection: psycopg.Connection) -> psycopg.Connection:
    """Alerts of 40, 30 and 20 days ago (some seconds more), and one of now."""
    record_alerts(connection, [alert(1), alert(2, 1e-17), alert(3), alert(4)])
    connection.execute("ALTER TABLE drift_alerts DISABLE TRIGGER USER")
    connection.execute(
        "UPDATE drift_alerts SET alert_date = now() - (50 - 10 * id) * interval '1 day 1 second'"
        " WHERE id < 4"
    )
    connection.execute("ALTER TABLE drift_alerts ENABLE TRIGGER USER")
    connection.commit()
    return connection


def rows(connection: psycopg.Connection, table: str) -> list[tuple[object, ...]]:
    return connection.execute(ALERTS.format(table).encode()).fetchall()


def test_alerts_older_than_30_days_move_into_the_archive_unchanged(
    aged: psycopg.Connection,
) -> None:
    before = rows(aged, "drift_alerts")
    assert archive_alerts(aged, 30 * DAY) == 2
    assert rows(aged, "drift_alerts") == before[2:]
    assert [row[:-1] for row in rows(aged, "drift_alerts_archive")] == before[:2]
    assert rows(aged, "drift_alerts_history") == before
    assert archive_alerts(aged, 30 * DAY) == 0
    assert archive_alerts(aged, 15 * DAY) == 1
    assert rows(aged, "drift_alerts_history") == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE drift_alerts SET notes = 'x'",
        "TRUNCATE drift_alerts",
        "DELETE FROM drift_alerts",
        "DELETE FROM drift_alerts WHERE id = 2",
        # Another row than the one in the archive.
        "INSERT INTO drift_alerts_archive SELECT id, alert_date, feature_name, 0, threshold,"
        " alert_triggered, notes, week, view, evidence FROM drift_alerts;"
        " DELETE FROM drift_alerts",
    ],
)
def test_there_is_no_other_way_out(aged: psycopg.Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match="drift_alerts is append-only"):
        aged.execute(statement.encode())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE drift_alerts_archive SET notes = 'x'",
        "DELETE FROM drift_alerts_archive",
        "TRUNCATE drift_alerts_archive",
    ],
)
def test_the_archive_only_grows(aged: psycopg.Connection, statement: str) -> None:
    archive_alerts(aged, 30 * DAY)
    with pytest.raises(psycopg.errors.RaiseException, match="drift_alerts_archive is append-only"):
        aged.execute(statement.encode())


def test_evidence_that_was_used_up_stays_used_up_in_the_archive(aged: psycopg.Connection) -> None:
    used = Decision("trigger_actual", "drift", 9, 0.2, (1,), (week(1),), week(1), "key")
    record_decision(aged, used)
    archive_alerts(aged, 30 * DAY)
    record_alerts(aged, [alert(1)])  # week 1 is checked again
    assert [found.week for found in open_alerts(aged)] == [week(3), week(4)]


def test_maintenance_archives_measures_and_leaves_statistics(
    warehouse_dsn: str, aged: psycopg.Connection
) -> None:
    load_baseline(aged, many(20_000).assign(data_split="train"), "a", week(0))
    aged.commit()
    done = maintain(warehouse_dsn)
    assert done.archived == 2
    sizes = {table.name: table for table in done.tables}
    ratings = sizes["ratings"]
    assert done.tables[0] == ratings
    assert ratings.rows == 20_000
    assert ratings.bytes_per_row is not None
    assert 60 < ratings.bytes_per_row < 80
    assert sizes["retraining_decisions"].bytes_per_row is None
    assert {"drift_alerts_archive", "user_counts", "schema_version"} <= sizes.keys()
    assert sum(table.bytes for table in done.tables) < done.total_bytes < 30_000_000
    analyzed = "SELECT count(*) FROM pg_stats WHERE tablename = 'ratings'"
    assert value(aged, analyzed) > 0


def test_sizes_count_indexes(connection: psycopg.Connection) -> None:
    before = {table.name: table for table in table_sizes(connection)}["ratings"]
    connection.execute('CREATE INDEX ON ratings ("userId")')
    after = {table.name: table for table in table_sizes(connection)}["ratings"]
    assert after.index_bytes > before.index_bytes
    assert after.bytes - before.bytes == after.index_bytes - before.index_bytes
    assert database_size(connection) > after.bytes
    assert TableSize("t", 4, 10, 0).bytes_per_row == 2.5


def test_two_that_begin_at_once_take_turns(aged: psycopg.Connection, warehouse_dsn: str) -> None:
    assert archive_alerts(aged, 30 * DAY) == 2  # its transaction is open
    moved: list[int] = []

    def other() -> None:
        with connect(warehouse_dsn) as connection:
            moved.append(archive_alerts(connection, 30 * DAY))

    waiting = threading.Thread(target=other, daemon=True)
    waiting.start()
    waiting.join(1)
    assert moved == []
    aged.commit()
    waiting.join(60)
    assert moved == [0]
