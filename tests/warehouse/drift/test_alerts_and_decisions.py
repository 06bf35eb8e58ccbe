import datetime
from typing import Any

import psycopg
import pytest

from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.warehouse.drift import alerts
from cinematch_dagster.warehouse.drift.alerts import AlertRow
from cinematch_dagster.warehouse.ingestion.live_ratings import take_over
from cinematch_dagster.warehouse.retraining import decisions
from cinematch_dagster.warehouse.retraining.decisions import Decision
from cinematch_dagster.warehouse.schema import DECISIONS, MAINTENANCE, RATINGS, REGISTRY
from serving.live import Event
from serving.live.postgres_store import WRITERS_TURN
from tests.warehouse.support import value, week

WEEK = datetime.timedelta(hours=168)


def row(number: int, input_digest: str, triggered: bool = True, **changes: Any) -> AlertRow:
    values: dict[str, Any] = {
        "week": week(number),
        "view": "cumulative",
        "feature_name": "rating_distribution_ks",
        "drift_score": 0.09,
        "threshold": 0.05,
        "alert_triggered": triggered,
        "input_digest": input_digest,
        "notes": "4796 ratings",
    }
    return AlertRow(**values | changes)


def retrain(run_key: str, alert_ids: tuple[int, ...], **changes: Any) -> Decision:
    values: dict[str, Any] = {
        "decision": "trigger_actual",
        "reason": "drift",
        "buffer_size": 20_000,
        "drift_score": 0.09,
        "alert_ids": alert_ids,
        "weeks": (week(1), week(2)),
        "target_week": week(2),
        "run_key": run_key,
    }
    return Decision(**values | changes)


def open_weeks(connection: psycopg.Connection) -> list[datetime.date]:
    return [alert.week for alert in decisions.open_alerts(connection)]


def add_aged(connection: psycopg.Connection, number: int, age: datetime.timedelta) -> None:
    """Write an alert as of some time ago; the table itself can't be changed."""
    connection.execute(
        "INSERT INTO drift_alerts (alert_date, feature_name, drift_score, threshold,"
        " alert_triggered, week, view, evidence)"
        " VALUES (now() - %s::interval, 'rating_mean', 0.2, 0.1, true, %s, 'cumulative', %s)",
        [age, week(number), str(number)],
    )


def test_every_test_of_a_check_is_a_row_also_when_nothing_fired(
    connection: psycopg.Connection,
) -> None:
    features = ("rating_distribution_ks", "rating_mean", "rating_std")
    alerts.record_alerts(
        connection, [row(1, "e1", triggered=False, feature_name=name) for name in features]
    )
    stored = connection.execute(
        "SELECT feature_name, drift_score, threshold, alert_triggered, notes, week, view, evidence"
        " FROM drift_alerts ORDER BY id"
    ).fetchall()
    assert stored == [
        (name, 0.09, 0.05, False, "4796 ratings", week(1), "cumulative", "e1") for name in features
    ]
    assert decisions.open_alerts(connection) == []


def test_a_check_without_tests_writes_nothing(connection: psycopg.Connection) -> None:
    assert decisions.last_check(connection) is None
    alerts.record_alerts(connection, [])
    assert decisions.last_check(connection) is None


def test_the_last_check_counts_whatever_its_outcome(connection: psycopg.Connection) -> None:
    alerts.record_alerts(connection, [row(1, "e1", triggered=False)])
    assert decisions.last_check(connection) == value(connection, "SELECT now()")


def test_a_score_is_kept_to_the_last_bit(connection: psycopg.Connection) -> None:
    alerts.record_alerts(connection, [row(1, "e1", drift_score=0.1 + 0.2, threshold=1e-300)])
    (alert,) = decisions.open_alerts(connection)
    assert (alert.drift_score, alert.threshold) == (0.1 + 0.2, 1e-300)


def test_open_alerts_are_those_that_fired_the_oldest_first(connection: psycopg.Connection) -> None:
    alerts.record_alerts(connection, [row(6, "e6"), row(4, "e4", triggered=False), row(3, "e3")])
    assert open_weeks(connection) == [week(6), week(3)]
    first = decisions.open_alerts(connection)[0]
    assert (first.feature_name, first.input_digest) == ("rating_distribution_ks", "e6")
    assert first.alert_date == value(connection, "SELECT now()")


def test_who_decides_keeps_nobody_from_rating(connection: psycopg.Connection) -> None:
    assert len({RATINGS, DECISIONS, REGISTRY, MAINTENANCE, WRITERS_TURN}) == 5
    decisions.lock_decisions(connection)
    with connect(connection.info.dsn) as other:
        other.execute("SET lock_timeout = '2s'")
        take_over(other, [Event(1, 2, 3.5)])
        with pytest.raises(psycopg.errors.LockNotAvailable):
            decisions.lock_decisions(other)


def test_a_retraining_uses_up_its_alerts_and_no_others(connection: psycopg.Connection) -> None:
    alerts.record_alerts(connection, [row(3, "e3"), row(6, "e6")])
    first, second = (alert.id for alert in decisions.open_alerts(connection))
    decisions.record_decision(connection, retrain("a:1", (first,)))
    assert open_weeks(connection) == [week(6)]
    decisions.record_decision(connection, retrain("a:2", (second,)))
    assert open_weeks(connection) == []


@pytest.mark.parametrize("kind", ["no_action", "trigger_failed"])
def test_a_decision_that_leads_to_no_retraining_uses_nothing_up(
    connection: psycopg.Connection, kind: str
) -> None:
    alerts.record_alerts(connection, [row(3, "e3")])
    (alert,) = decisions.open_alerts(connection)
    decisions.record_decision(connection, retrain("a:1", (alert.id,), decision=kind))
    assert open_weeks(connection) == [week(3)]


def test_used_evidence_found_again_does_not_ask_again_but_new_evidence_does(
    connection: psycopg.Connection,
) -> None:
    alerts.record_alerts(connection, [row(3, "e3")])
    (alert,) = decisions.open_alerts(connection)
    decisions.record_decision(connection, retrain("a:1", (alert.id,)))
    alerts.record_alerts(connection, [row(3, "e3")])
    assert open_weeks(connection) == []
    alerts.record_alerts(connection, [row(4, "e3")])  # the same histograms in another week
    alerts.record_alerts(connection, [row(3, "e3", feature_name="rating_mean")])
    assert open_weeks(connection) == [week(4), week(3)]
    alerts.record_alerts(connection, [row(3, "corrected")])
    assert open_weeks(connection) == [week(4), week(3), week(3)]


def test_a_week_checked_twice_asks_once_and_its_latest_check_counts(
    connection: psycopg.Connection,
) -> None:
    alerts.record_alerts(connection, [row(3, "e3")])
    alerts.record_alerts(connection, [row(3, "e3"), row(3, "e3", view="per_batch")])
    assert open_weeks(connection) == [week(3), week(3)]  # two views
    alerts.record_alerts(connection, [row(3, "corrected", triggered=False)])
    assert [a.input_digest for a in decisions.open_alerts(connection)] == ["e3"]


def test_a_decision_comes_back_as_it_was_written(connection: psycopg.Connection) -> None:
    made = retrain("a:1", (4, 2))
    none = retrain(
        "a:2", (), decision="no_action", drift_score=None, target_week=None, weeks=(week(1),)
    )
    for decision in (made, none):
        decisions.record_decision(connection, decision)
        assert decisions.decision(connection, decision.run_key) == decision
    assert decisions.decision(connection, "a:3") is None
    assert decisions.decisions_to_retrain(connection) == [made]


def test_the_first_decision_of_a_run_key_stays(connection: psycopg.Connection) -> None:
    made = retrain("a:1", (1,))
    decisions.record_decision(connection, made)
    decisions.record_decision(connection, retrain("a:1", (), decision="no_action"))
    assert decisions.decision(connection, "a:1") == made
    assert value(connection, "SELECT count(*) FROM retraining_decisions") == 1


def test_decisions_take_turns_without_waiting_for_loads(
    warehouse_dsn: str, connection: psycopg.Connection
) -> None:
    decisions.lock_decisions(connection)
    with connect(warehouse_dsn) as other:
        other.execute("SET lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            decisions.lock_decisions(other)
        other.rollback()
        connection.commit()
        decisions.lock_decisions(other)
