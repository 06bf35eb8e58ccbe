"""Everything at once, in any order: the real sensors on a real warehouse, a made-up daemon.

One retraining per new alert set, none lost, none twice, none from evidence that is out of date,
and a decision for every evaluation that looked at new evidence.
"""

import datetime
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import hypothesis
import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from cinematch_dagster.definitions import defs
from cinematch_dagster.defs.drift.sensors import follow_up_sensor
from cinematch_dagster.defs.resources import RESOURCES
from cinematch_dagster.defs.retraining.sensors import drift_alert_sensor
from cinematch_dagster.drift import DriftPolicy
from cinematch_dagster.pipeline.drift.input_digest import (
    is_current,
    performance_digest,
    stale_weeks,
)
from cinematch_dagster.pipeline.drift.report import check_week
from cinematch_dagster.pipeline.retraining.decide import mark_trigger_failed
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.postgres.dsn import with_database
from cinematch_dagster.settings import load_settings
from cinematch_dagster.warehouse.drift.alerts import AlertRow, record_alerts
from cinematch_dagster.warehouse.ingestion.baseline import load_baseline
from cinematch_dagster.warehouse.ingestion.batches import Batch, load_batch
from cinematch_dagster.warehouse.ingestion.metadata import loaded_batch
from cinematch_dagster.warehouse.registry.promotions import (
    Promotion,
    in_production,
    merge_buffer,
    record_promotion,
)
from cinematch_dagster.warehouse.retraining.decisions import decision, open_alerts, pending_decision
from tests.examples import more

FIRST = datetime.date(2024, 1, 1)
WEEK = datetime.timedelta(weeks=1)
WEEKS = 8
KINDS = {"like before": [4, 4, 4, 4, 4], "high": [0, 0, 0, 0, 20], "low": [20, 0, 0, 0, 0]}
POLICY = DriftPolicy(count_threshold=2)


def frame(counts: list[int], start: int) -> pd.DataFrame:
    stars = np.repeat(np.arange(1, 6), counts).astype("float32")
    users = np.arange(len(stars), dtype="int32") + 1
    return pd.DataFrame(
        {
            "userId": users,
            "movieId": np.full(len(stars), start + 1, "int32"),
            "rating": stars,
            "timestamp": 1_100_000_000 + start * 1_000 + users.astype("int64"),
        }
    )


class Retraining(RuleBasedStateMachine):
    """Weeks arrive, people and faults interfere, sensors tick, retrainings end."""

    new_database: Callable[[], str]

    def __init__(self) -> None:
        super().__init__()
        self.instance = dg.DagsterInstance.ephemeral()
        self.alert_cursor: str | None = None
        self.follow_up_cursor: str | None = None
        self.started: dict[str, datetime.date] = {}  # every run key that Dagster ever started
        self.going_on: list[str] = []
        self.loads = self.versions = self.decisions = 0
        self.left_open = False  # by a retraining that failed: the next report decides anew

    @initialize()
    def baseline(self) -> None:
        self.dsn = type(self).new_database()
        os.environ["CINEMATCH_DATABASE_URL"] = self.dsn
        load_settings.cache_clear()
        with connect(self.dsn) as connection:
            ratings = frame([40, 40, 40, 40, 40], 0).assign(data_split="train")
            load_baseline(connection, ratings, "baseline", FIRST - WEEK)

    # What weeks do

    def loaded(self) -> list[datetime.date]:
        return self._weeks("SELECT week FROM ingestion_metadata WHERE batch_id <> 'baseline'")

    def in_buffer(self) -> list[datetime.date]:
        return self._weeks(
            "SELECT week FROM ingestion_metadata WHERE batch_id <> 'baseline' AND merged_at IS NULL"
        )

    def _weeks(self, query: str) -> list[datetime.date]:
        with connect(self.dsn) as connection:
            return sorted(row[0] for row in connection.execute(query.encode()))

    def load(self, week: datetime.date, kind: str) -> None:
        self.loads += 1
        number = (week - FIRST).days // 7 + 1
        load_batch(
            self.dsn,
            Batch(f"batch_w{number}", week, frame(KINDS[kind], number), f"{self.loads}", None, 0.0),
        )

    def report(self, week: datetime.date) -> None:
        self.left_open = False
        with connect(self.dsn) as connection:
            check_week(connection, week, POLICY)
            if champion := in_production(connection, before=week):
                sha256 = loaded_batch(connection, week).sha256
                input_digest = performance_digest(champion.version, sha256)
                name = "performance_rmse"
                row = AlertRow(week, "per_batch", name, 0.0, 0.1, False, input_digest)
                record_alerts(connection, [row])
        event = dg.AssetMaterialization("drift_report", partition=week.isoformat())
        self.instance.report_runless_asset_event(event)

    @rule(number=st.integers(0, WEEKS - 1), kind=st.sampled_from(sorted(KINDS)))
    def a_week_arrives_or_is_corrected(self, number: int, kind: str) -> None:
        week = FIRST + number * WEEK
        if week not in self.loaded() or week in self.in_buffer():
            self.load(week, kind)
            self.report(week)

    @precondition(lambda self: self.loaded())
    @rule(data=st.data())
    def a_person_materializes_a_week_again(self, data: st.DataObject) -> None:
        self.report(data.draw(st.sampled_from(self.loaded())))

    # What the daemon does

    def _context(self, cursor: str | None) -> dg.SensorEvaluationContext:
        return dg.build_sensor_context(
            instance=self.instance,
            cursor=cursor,
            resources=RESOURCES,
            definitions=defs,
        )

    @rule(killed=st.booleans())
    def the_alert_sensor_ticks(self, killed: bool) -> None:
        with connect(self.dsn) as connection:
            alerts = open_alerts(connection)
            current = {a.id for a in alerts if is_current(connection, a, POLICY)}
        with self._context(self.alert_cursor) as context:
            result = drift_alert_sensor.evaluate_tick(context)
        if context.cursor != self.alert_cursor:
            self._wrote_its_decision(context.cursor, current)
        if killed:
            return  # after the evaluation, before the cursor and the runs
        self.alert_cursor = context.cursor
        for request in result.run_requests or ():
            if request.run_key not in self.started:
                self._start(str(request.run_key))

    def _wrote_its_decision(self, storage_id: str | None, current: set[int]) -> None:
        with connect(self.dsn) as connection:
            ((number, alert_ids),) = connection.execute(
                "SELECT id, alert_ids FROM retraining_decisions WHERE run_key LIKE %s",
                [f"%:{storage_id}"],
            ).fetchall()
        if number > self.decisions:
            self.decisions = number
            assert set(alert_ids) <= current, "decided on evidence that is out of date"

    def _start(self, run_key: str) -> None:
        with connect(self.dsn) as connection:
            made = decision(connection, run_key)
        assert made is not None
        assert made.target_week is not None
        self.started[run_key] = made.target_week
        self.going_on.append(run_key)
        assert len(self.going_on) == 1, "two retrainings at once"

    @rule()
    def the_cursor_is_reset_by_hand(self) -> None:
        self.alert_cursor = None

    @rule()
    def the_follow_up_sensor_ticks(self) -> None:
        with self._context(self.follow_up_cursor) as context:
            result = follow_up_sensor.evaluate_tick(context)
        self.follow_up_cursor = result.cursor or self.follow_up_cursor
        for request in result.run_requests or ():
            week = datetime.date.fromisoformat(request.tags["dagster/asset_partition_range_start"])
            last = datetime.date.fromisoformat(request.tags["dagster/asset_partition_range_end"])
            while week <= last:
                self.report(week)
                week += WEEK

    # How a retraining ends

    def _end(self, promoted: bool) -> None:
        run_key = self.going_on.pop()
        self.versions += 1
        with connect(self.dsn) as connection:
            record_promotion(
                connection,
                Promotion(
                    version=str(self.versions),
                    from_version=None,
                    week=self.started[run_key],
                    promoted=promoted,
                    reason="",
                    mlflow_run_id=f"run {self.versions}",
                    dagster_run_id="",
                    buffer_policy="merge" if promoted else None,
                    scores={"standing": {"challenger": {"rmse": 1.0, "mae": 1.0}}},
                ),
            )
            if promoted:
                week = self.started[run_key]
                merge_buffer(connection, week, str(self.versions), "merge")

    @precondition(lambda self: self.going_on)
    @rule(promoted=st.booleans())
    def the_retraining_ends(self, promoted: bool) -> None:
        self._end(promoted)

    @precondition(lambda self: self.going_on)
    @rule()
    def the_retraining_fails_all_its_tries(self) -> None:
        with connect(self.dsn) as connection:
            mark_trigger_failed(connection, self.going_on.pop(), "it failed")
        self.left_open = True

    # What must hold

    def teardown(self) -> None:
        try:
            if hasattr(self, "dsn"):
                self._settle()
                self._check()
        finally:
            self.instance.dispose()

    def _settle(self) -> None:
        """No faults any more: both sensors tick and every retraining ends, until nothing moves."""
        if self.left_open:
            self.report(self.loaded()[-1])
        for _ in range(3 * WEEKS):
            before = self._state()
            self.the_follow_up_sensor_ticks()
            self.the_alert_sensor_ticks(killed=False)
            if self.going_on:
                self._end(promoted=False)
            if self._state() == before:
                return
        raise AssertionError("the sensors never come to rest")

    def _state(self) -> Any:
        query = b"SELECT (SELECT count(*) FROM drift_alerts), (SELECT count(*) FROM promotions)"
        with connect(self.dsn) as connection:
            return connection.execute(query).fetchone()

    def _check(self) -> None:
        with connect(self.dsn) as connection:
            used = connection.execute(
                "SELECT a.week, a.feature_name, a.evidence"
                " FROM retraining_decisions d JOIN drift_alerts a ON a.id = ANY (d.alert_ids)"
                " WHERE d.decision = 'trigger_actual'"
            ).fetchall()
            asked = connection.execute(
                "SELECT run_key FROM retraining_decisions WHERE target_week IS NOT NULL"
                " AND decision <> 'no_action'"
            ).fetchall()
            left = [a for a in open_alerts(connection) if is_current(connection, a, POLICY)]
            assert len(used) == len(set(used)), "an alert set asked for two retrainings"
            assert {key for (key,) in asked} == set(self.started), "a retraining was lost"
            assert stale_weeks(connection, POLICY) == []
            assert pending_decision(connection) is None
            assert left == [], "an alert was lost"


@pytest.fixture
def machine(
    platform_settings: Path, postgres_server: str, warehouse_template: str, monkeypatch: Any
) -> type[Retraining]:
    assert platform_settings.is_dir()
    for key, value in {
        "DRIFT__COUNT_THRESHOLD": "2",
        "RETRAINING__MINIMUM_BUFFER": "0",
        "DATABASE_URL": "",
    }.items():
        monkeypatch.setenv(f"CINEMATCH_{key}", value)

    def new_database() -> str:
        name = f"machine_{uuid.uuid4().hex}"
        with connect(postgres_server, autocommit=True) as server:
            server.execute(f"CREATE DATABASE {name} TEMPLATE {warehouse_template}".encode())
        return with_database(postgres_server, name)

    class Machine(Retraining):
        pass

    Machine.new_database = staticmethod(new_database)
    return Machine


@pytest.mark.lifecycle  # once more, with more examples
def test_one_retraining_per_alert_set_whatever_happens(machine: type[Retraining]) -> None:
    run_state_machine_as_test(
        machine,
        settings=hypothesis.settings(
            max_examples=more(12),
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        ),
    )
