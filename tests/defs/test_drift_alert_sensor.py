"""The sensor on a real Postgres: one retraining per alert set, none lost, none twice."""

import datetime
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from cinematch_dagster.definitions import defs
from cinematch_dagster.defs.resources import RESOURCES
from cinematch_dagster.defs.retraining.sensors import drift_alert_sensor
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import load_settings

Run = Callable[..., dg.ExecuteInProcessResult]
Drop = Callable[..., Path]


class Daemon:
    """Evaluates the sensor and keeps its cursor, as the daemon does."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.cursor: str | None = None
        self.launched: dict[str, str] = {}

    def tick(self, dies_before_launch: bool = False) -> str | None:
        """Return the skip reason, if any; Dagster starts each run key only once."""
        with dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursor,
            resources=RESOURCES,
            definitions=defs,
        ) as context:
            result = drift_alert_sensor.evaluate_tick(context)
        if dies_before_launch:
            return None
        self.cursor = context.cursor
        for request in result.run_requests or ():
            assert request.run_key is not None
            self.launched.setdefault(request.run_key, str(request.partition_key))
        return result.skip_message


@pytest.fixture
def daemon(instance: dg.DagsterInstance) -> Daemon:
    return Daemon(instance)


@pytest.fixture
def decisions(warehouse_dsn: str) -> Callable[[], list[tuple[object, ...]]]:
    def read() -> list[tuple[object, ...]]:
        with connect(warehouse_dsn) as connection:
            return connection.execute(
                "SELECT decision, target_week, cardinality(alert_ids), cardinality(weeks)"
                " FROM retraining_decisions ORDER BY id"
            ).fetchall()

    return read


Decisions = Callable[[], list[tuple[object, ...]]]
WEEK_3, WEEK_6 = datetime.date(2024, 1, 15), datetime.date(2024, 2, 5)


@pytest.fixture
def seven_weeks(monkeypatch: pytest.MonkeyPatch, drop: Drop, run_weeks: Run) -> None:
    """Weeks 1 to 7 in one run; each is judged alone, and only 3 and 6 alert."""
    monkeypatch.setenv("CINEMATCH_DRIFT__ALERTING_VIEWS", '["per_batch"]')
    load_settings.cache_clear()
    for number in range(1, 8):
        drop(number, drifted=number in (3, 6))
    assert run_weeks(1, 7).success


@pytest.mark.usefixtures("seven_weeks")
def test_seven_weeks_between_two_ticks_lead_to_one_retraining_of_the_newest_alert(
    daemon: Daemon, decisions: Decisions, warehouse_dsn: str
) -> None:
    daemon.tick()
    assert list(daemon.launched.values()) == ["2024-02-05"]
    with connect(warehouse_dsn) as connection:
        alerting = connection.execute(
            "SELECT DISTINCT week FROM drift_alerts WHERE alert_triggered ORDER BY week"
        ).fetchall()
        unused = connection.execute(
            "SELECT count(*) FROM drift_alerts a WHERE alert_triggered AND NOT EXISTS"
            " (SELECT FROM retraining_decisions d WHERE a.id = ANY (d.alert_ids))"
        ).fetchone()
    assert alerting == [(WEEK_3,), (WEEK_6,)]
    assert unused == (0,)
    ((decision, target, alerts, weeks),) = decisions()
    assert (decision, target, weeks) == ("trigger_actual", WEEK_6, 7)
    assert int(str(alerts)) >= 2


@pytest.mark.usefixtures("seven_weeks")
def test_another_tick_without_new_evidence_does_nothing(
    daemon: Daemon, decisions: Decisions
) -> None:
    daemon.tick()
    reason = daemon.tick()
    assert reason is not None
    assert len(daemon.launched) == len(decisions()) == 1


@pytest.mark.usefixtures("seven_weeks")
def test_a_tick_evaluated_again_decides_and_launches_once(
    daemon: Daemon, decisions: Decisions
) -> None:
    daemon.tick(dies_before_launch=True)
    daemon.tick()
    assert len(daemon.launched) == len(decisions()) == 1


@pytest.mark.usefixtures("seven_weeks")
def test_a_decision_whose_run_was_never_launched_is_not_lost_when_more_evidence_came(
    daemon: Daemon, decisions: Decisions, drop: Drop, run_weeks: Run
) -> None:
    daemon.tick(dies_before_launch=True)
    drop(8)
    run_weeks(8, 8)
    daemon.tick()
    assert list(daemon.launched.values()) == ["2024-02-05"]
    assert [row[0] for row in decisions()] == ["trigger_actual", "no_action"]


@pytest.mark.usefixtures("seven_weeks")
def test_a_cursor_reset_by_hand_starts_nothing_again(daemon: Daemon, decisions: Decisions) -> None:
    daemon.tick()
    daemon.cursor = None
    daemon.tick()
    assert len(daemon.launched) == len(decisions()) == 1


@pytest.mark.usefixtures("seven_weeks")
def test_the_same_week_reported_again_is_no_new_alert(
    daemon: Daemon, decisions: Decisions, run_weeks: Run
) -> None:
    daemon.tick()
    run_weeks(6, 6)
    reason = daemon.tick()
    assert reason is not None
    assert "no unconsumed drift alert" in reason
    assert len(daemon.launched) == 1
    assert [row[0] for row in decisions()] == ["trigger_actual", "no_action"]


@pytest.mark.usefixtures("loaded_baseline")
def test_too_small_a_buffer_keeps_the_alert_for_later(
    daemon: Daemon, drop: Drop, run_weeks: Run, decisions: Decisions
) -> None:
    drop(1, drifted=True)
    run_weeks(1, 1)
    reason = daemon.tick()
    assert reason is not None
    assert "2,000 ratings in the buffer, 10,000 needed" in reason
    for number in range(2, 6):
        drop(number, drifted=True)
    run_weeks(2, 5)
    daemon.tick()
    assert list(daemon.launched.values()) == ["2024-01-29"]
    assert [row[0] for row in decisions()] == ["no_action", "trigger_actual"]


def test_a_report_without_a_week_is_named_and_passed_over(
    daemon: Daemon, decisions: Decisions, seven_weeks: None
) -> None:
    assert seven_weeks is None
    daemon.tick()
    made = decisions()
    daemon.instance.report_runless_asset_event(dg.AssetMaterialization("drift_report"))
    assert daemon.tick() == "No report names its week: a partition was expected"
    assert daemon.tick() is not None  # and the cursor stands behind it
    assert decisions() == made
