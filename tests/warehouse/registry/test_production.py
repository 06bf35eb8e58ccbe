"""What served when, and the way back."""

import datetime
import threading

import psycopg
import pytest

from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.warehouse.ingestion.baseline import load_baseline
from cinematch_dagster.warehouse.ingestion.batches import load_batch
from cinematch_dagster.warehouse.operations.week_history import decided_on
from cinematch_dagster.warehouse.registry.production import (
    RollbackError,
    periods,
    record_rollback,
    replaced_by,
    served_versions,
)
from cinematch_dagster.warehouse.registry.promotions import (
    Promotion,
    in_production,
    promotion_of_run,
    record_promotion,
)
from cinematch_dagster.warehouse.retraining.decisions import (
    Decision,
    pending_decision,
    record_decision,
)
from tests.warehouse.support import batch, many, promotion, value, week

DAY = datetime.timedelta(days=1)
START = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)


def back(connection: psycopg.Connection, to: str | None = None) -> Promotion:
    return record_rollback(connection, to, why="it answers nonsense", who="ada")


@pytest.fixture
def served(connection: psycopg.Connection) -> psycopg.Connection:
    """Versions 1, 2 and 4 were promoted, a day each; 3 was kept out."""
    decisions = [("1", None, True), ("2", "1", True), ("3", "2", False), ("4", "2", True)]
    for number, (version, before, promoted) in enumerate(decisions):
        made = promotion(version, number, promoted, from_version=before)
        record_promotion(connection, made)
        connection.execute(
            "UPDATE promotions SET decided_at = %s WHERE version = %s",
            [START + number * DAY, version],
        )
    return connection


def test_a_rollback_goes_to_what_the_present_version_replaced(served: psycopg.Connection) -> None:
    done = back(served)
    assert (done.version, done.from_version, done.week) == ("2", "4", week(1))
    assert (done.promoted, done.rolled_back_by, done.buffer_policy) == (True, "ada", None)
    assert done.reason == "Rolled back from version 4 by ada: it answers nonsense"
    assert (done.mlflow_run_id, done.scores) == ("mlflow-2", {"rmse": 0.9})
    assert in_production(served) == done


def test_a_retraining_that_is_going_on_is_not_done_by_a_rollback(
    served: psycopg.Connection,
) -> None:
    decision = Decision(
        "trigger_actual", "drift", 100, 0.1, (), (week(2),), week(2), run_key="week 2:1"
    )
    record_decision(served, decision)
    served.execute("UPDATE retraining_decisions SET decided_at = now() - interval '1 minute'")
    assert pending_decision(served) == decision
    back(served, "1")
    back(served, "4")  # of a later week than the decision's
    assert pending_decision(served) == decision
    record_promotion(served, promotion("5", 2, promoted=False, from_version="4"))
    assert pending_decision(served) is None


def test_two_rollbacks_go_back_by_two_and_not_forth(served: psycopg.Connection) -> None:
    assert [back(served).version, back(served).version] == ["2", "1"]
    with pytest.raises(RollbackError, match="version 1 is the first model: it replaced none"):
        back(served)


def test_a_rollback_to_a_version_that_is_named_also_forward(served: psycopg.Connection) -> None:
    assert back(served, "1").version == "1"
    assert back(served, "4").version == "4"
    assert replaced_by(served, "4") == "2"
    assert served_versions(served) == ["1", "2", "4"]


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ("3", r"version 3 never served \(expected one of 1, 2, 4\)"),
        ("9", r"version 9 never served"),
        ("4", "version 4 is in production already"),
    ],
)
def test_other_versions_are_refused(served: psycopg.Connection, to: str, message: str) -> None:
    with pytest.raises(RollbackError, match=message):
        back(served, to)


def test_before_the_first_promotion_there_is_no_way_back(connection: psycopg.Connection) -> None:
    with pytest.raises(RollbackError, match="nothing is in production yet"):
        back(connection)


def test_the_decision_about_a_run_stays_the_gate_s(served: psycopg.Connection) -> None:
    before = promotion_of_run(served, "mlflow-2")
    back(served)
    assert promotion_of_run(served, "mlflow-2") == before
    record_promotion(served, promotion("2", 1, reason="tried again"))
    assert promotion_of_run(served, "mlflow-2") == before
    said = [what for _, what, _ in decided_on(served, week(1))]
    assert said == ["Version 2 promoted", "Production taken back to version 2"]


def test_after_a_rollback_the_gate_may_promote_again(served: psycopg.Connection) -> None:
    back(served)
    record_promotion(served, promotion("5", 4, from_version="2"))
    found = in_production(served)
    assert found is not None
    assert (found.version, found.rolled_back_by) == ("5", None)
    assert back(served).version == "2"


def test_a_rollback_leaves_what_weeks_are_compared_with(served: psycopg.Connection) -> None:
    since = "SELECT compared_since(%s)"
    before = [value(served, since, week(number)) for number in range(6)]
    back(served, "1")
    assert [value(served, since, week(number)) for number in range(6)] == before


def test_a_week_found_what_served_when_it_arrived(
    warehouse_dsn: str, connection: psycopg.Connection
) -> None:
    load_baseline(connection, many(10).assign(data_split="train"), "a", week(0))
    record_promotion(connection, promotion("1", 0))
    record_promotion(connection, promotion("2", 1, from_version="1"))
    connection.commit()

    def found(number: int) -> str | None:
        production = in_production(connection, before=week(number))
        return production.version if production else None

    load_batch(warehouse_dsn, batch(2, many(10, seed=2)))
    assert found(2) == "2"
    with connect(warehouse_dsn) as other:
        back(other)
    load_batch(warehouse_dsn, batch(3, many(10, seed=3)))
    assert (found(1), found(2), found(3)) == ("1", "2", "1")
    connection.rollback()


def test_periods_follow_each_other(served: psycopg.Connection) -> None:
    back(served)
    found = periods(served)
    assert [(p.version, p.from_version, p.rolled_back_by) for p in found] == [
        ("1", None, None),
        ("2", "1", None),
        ("4", "2", None),
        ("2", "4", "ada"),
    ]
    assert [p.since for p in found[:3]] == [START, START + DAY, START + 3 * DAY]
    assert [p.until for p in found] == [p.since for p in found[1:]] + [None]
    assert found[-1].since == value(served, "SELECT now()")


@pytest.mark.parametrize(
    ("first", "last", "versions"),
    [
        (START - DAY, START - DAY, []),
        (START, START, ["1"]),
        (START + DAY, START + DAY, ["2"]),
        (START + 2 * DAY, START + 2 * DAY, ["2"]),
        (START, START + 2 * DAY, ["1", "2"]),
        (START + 99 * DAY, START + 99 * DAY, ["4"]),
        (None, START, ["1"]),
        (START + DAY, None, ["2", "4"]),
    ],
)
def test_what_served_at_some_time(
    served: psycopg.Connection,
    first: datetime.datetime | None,
    last: datetime.datetime | None,
    versions: list[str],
) -> None:
    assert [p.version for p in periods(served, first, last)] == versions


def test_a_week_loads_while_a_rollback_waits_for_mlflow(
    served: psycopg.Connection, warehouse_dsn: str
) -> None:
    load_baseline(served, many(20).assign(data_split="train"), "a", week(0))
    served.commit()
    back(served)  # its transaction is open until MLflow has followed
    loaded: list[str] = []

    def load() -> None:
        loaded.append(load_batch(warehouse_dsn, batch(1, many(10))).outcome)

    loading = threading.Thread(target=load, daemon=True)
    loading.start()
    loading.join(60)
    assert loaded == ["loaded"]
