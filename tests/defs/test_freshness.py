"""Silence shows: as a failed check in Dagster, and in `cinematch status`."""

import datetime
import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner

from cinematch_dagster import cli
from cinematch_dagster.defs.dagster_internals import last_ticks
from cinematch_dagster.defs.operations.checks import CHECKS
from cinematch_dagster.defs.operations.schedules import freshness_hourly
from cinematch_dagster.defs.resources import RESOURCES
from cinematch_dagster.defs.retraining.schedules import retraining_monthly
from cinematch_dagster.pipeline.operations.freshness import QUESTIONS, sensors_tick
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import FreshnessSettings, load_settings
from cinematch_dagster.warehouse.registry.production import record_rollback
from cinematch_dagster.warehouse.registry.promotions import Promotion, record_promotion
from tests.defs.dagster_states import add_sensor

NOW = datetime.datetime(2024, 3, 1, 12, tzinfo=datetime.UTC)
LIMITS = FreshnessSettings()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """With a storage for the sensors' ticks, which an ephemeral one lacks."""
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance:
        yield instance


def checks(instance: dg.DagsterInstance) -> dict[str, tuple[bool, str]]:
    result = (
        dg.Definitions(
            asset_checks=CHECKS,
            jobs=[dg.define_asset_job("look", dg.AssetSelection.checks(*CHECKS))],
            resources=RESOURCES,
        )
        .resolve_job_def("look")
        .execute_in_process(instance=instance)
    )
    return {
        e.check_name: (e.passed, e.description or "") for e in result.get_asset_check_evaluations()
    }


@pytest.fixture
def aged(loaded_baseline: Path, warehouse_dsn: str) -> str:
    """A load nine days old, and a model in production a hundred days old."""
    assert loaded_baseline.is_dir()
    promotion = Promotion("1", None, NOW.date(), True, "", "run", "", None, {})
    with connect(warehouse_dsn) as connection:
        record_promotion(connection, promotion)
        connection.execute("UPDATE promotions SET decided_at = now() - interval '100 days'")
        connection.execute(
            "UPDATE ingestion_metadata SET ingestion_date = ingestion_date - interval '9 days'"
        )
    return warehouse_dsn


@pytest.mark.usefixtures("aged")
def test_what_is_too_old_fails_its_check_and_says_how_old(instance: dg.DagsterInstance) -> None:
    found = checks(instance)
    assert set(found) == set(QUESTIONS)
    assert found["week_arrives"] == (
        False, "the newest load is 9.0 days old (at most 8 expected)",
    )  # fmt: skip
    assert found["model_is_recent"] == (
        False, "the model in production is 100.0 days old (at most 90 expected)",
    )  # fmt: skip
    assert not found["sensors_tick"][0]  # there is no daemon


def test_a_rollback_makes_no_model_younger_and_an_old_week_no_newest_load(
    aged: str, instance: dg.DagsterInstance
) -> None:
    with connect(aged) as connection:
        newer = Promotion("2", "1", NOW.date(), True, "", "another run", "", None, {})
        record_promotion(connection, newer)
        connection.execute("UPDATE promotions SET decided_at = now() - interval '100 days'")
        record_rollback(connection, None, why="nonsense", who="ada")
        connection.execute(
            "INSERT INTO ingestion_metadata (batch_id, record_count, status, week, sha256)"
            " SELECT 'older', 0, 'completed', week - 7, '' FROM ingestion_metadata"
        )
    found = checks(instance)
    assert found["week_arrives"][1].startswith("the newest load is 9.0 days old")
    assert found["model_is_recent"][1].startswith("the model in production is 100.0 days old")


@pytest.mark.usefixtures("loaded_baseline")
def test_a_new_platform_without_a_model_is_fresh(instance: dg.DagsterInstance) -> None:
    found = checks(instance)
    assert found["week_arrives"][0]
    assert found["model_is_recent"] == (True, "the model in production: there is none yet")


@pytest.mark.usefixtures("aged")
def test_status_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINEMATCH_DAGSTER_PORT", "1")
    monkeypatch.setattr(cli.console, "width", 200)
    load_settings.cache_clear()
    run = CliRunner().invoke
    found = json.loads(run(cli.app, ["status", "--json"], catch_exceptions=False).stdout)
    assert {f["check"]: f["passed"] for f in found["freshness"]} == {
        "week_arrives": False,
        "model_is_recent": False,
        "sensors_tick": False,
    }
    text = run(cli.app, ["status"], catch_exceptions=False).stdout
    assert "FAILED: the newest load is 9.0 days old (at most 8 expected)" in text
    assert "FAILED: Dagster does not answer" in text


@pytest.mark.parametrize(
    ("minutes", "passed", "text"),
    [
        ({"a": 1.0, "b": 9.9}, True, "2 sensors tick"),
        ({"a": 1.0, "b": 11.0}, False, "last good tick of b 11 minutes ago"),
        ({"a": None}, False, "last good tick of a never"),
        ({}, False, "0 sensors tick"),
    ],
)
def test_a_silent_sensor_is_named(
    minutes: dict[str, float | None], passed: bool, text: str
) -> None:
    ticks = {name: None if m is None else NOW.timestamp() - m * 60 for name, m in minutes.items()}
    found = sensors_tick(ticks, LIMITS, NOW)
    assert found.passed is passed
    assert found.text.startswith(text)


def test_the_last_good_tick_of_a_sensor_that_is_on_is_found(instance: dg.DagsterInstance) -> None:
    ticks = {100.0: "SKIPPED", 200.0: "SUCCESS", 300.0: "FAILURE"}
    add_sensor(instance, "on", True, ticks)
    add_sensor(instance, "off", False, ticks)
    assert last_ticks(instance) == {"on": 200.0}


def test_what_is_on_by_default_is_what_the_profile_says() -> None:
    assert load_settings().orchestration.schedules_on == ()
    for schedule in (freshness_hourly, retraining_monthly):
        assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED


@pytest.mark.usefixtures("loaded_baseline")
def test_the_monthly_retraining_asks_for_the_newest_week_once(warehouse_dsn: str) -> None:
    def evaluate() -> dg.RunRequest | dg.SkipReason:
        with dg.build_schedule_context(
            scheduled_execution_time=NOW, resources=RESOURCES
        ) as context:
            answer = retraining_monthly(context)
        assert isinstance(answer, dg.RunRequest | dg.SkipReason)
        return answer

    assert isinstance(evaluate(), dg.SkipReason)
    with connect(warehouse_dsn) as connection:
        connection.execute(
            "INSERT INTO ingestion_metadata (batch_id, record_count, status, week, sha256)"
            " VALUES ('batch_w1', 1, 'completed', '2024-01-01', 'a'),"
            " ('batch_w2', 1, 'completed', '2024-01-08', 'b')"
        )
    request = evaluate()
    assert isinstance(request, dg.RunRequest)
    assert (request.partition_key, request.run_key) == ("2024-01-08", "2024-03-01")
