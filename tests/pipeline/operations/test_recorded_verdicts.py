"""Thresholds that are raised later change nothing of what was decided, wherever it is shown."""

import json
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from cinematch_dagster import cli
from cinematch_dagster.demo import measured
from cinematch_dagster.drift import Errors, Level, judge_errors
from cinematch_dagster.drift.performance import WeekPerformance, WeekScores, WeekSlice
from cinematch_dagster.local.status import platform_status
from cinematch_dagster.pipeline.drift.report import check_week
from cinematch_dagster.pipeline.operations.pages import write_pages
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import Settings, load_settings
from cinematch_dagster.warehouse.drift.verdicts import Verdict, record_verdict
from cinematch_dagster.warehouse.drift.weekly_performance import record_performance
from cinematch_dagster.warehouse.statements import reference_queries
from serving.platform.figures import PlatformFigures
from tests.pipeline.support import Arrive, week

LOW = {
    "KS_THRESHOLD": "0.0001",
    "MEAN_THRESHOLD": "0.0001",
    "STD_THRESHOLD": "0.0001",
    "PERFORMANCE_THRESHOLD": "0.0001",
    "ALERTING_VIEWS": '["cumulative", "per_batch"]',
}
HIGH = {name: "0.99" for name in LOW if name.endswith("THRESHOLD")} | {
    "EARLY_SHARE": "0.99",
    "COUNT_THRESHOLD": "1000000",
    "MINIMUM_TESTS": "3",
    "ALERTING_VIEWS": "[]",
}


def policy_of(monkeypatch: pytest.MonkeyPatch, drift: dict[str, str], marks: str) -> Settings:
    for name, value in drift.items():
        monkeypatch.setenv(f"CINEMATCH_DRIFT__{name}", value)
    for name in ("RATING_PSI", "RATING_JENSEN_SHANNON", "RATING_WASSERSTEIN"):
        monkeypatch.setenv(f"CINEMATCH_EVIDENCE__{name}", marks)
    load_settings.cache_clear()
    return load_settings()


def judge_performance(connection: psycopg.Connection, number: int, settings: Settings) -> None:
    """Write that a week was predicted worse than the version's own test."""
    own, overall = Errors(1.0, 0.8), Errors(1.2, 1.0)
    scores = WeekScores(WeekSlice(4_796, overall.rmse, overall.mae, 0, None), None, None, None)
    verdict = judge_errors(overall, own, 4_796, settings.drift)
    record_performance(connection, week(number), WeekPerformance("7", own, scores, verdict))
    record_verdict(
        connection, Verdict.decided(week(number), "performance", verdict, settings.drift)
    )


def shown(dsn: str, settings: Settings) -> dict[str, Any]:
    """Everything that shows a verdict, written anew."""
    for path in settings.reports_dir.glob("*"):
        path.unlink()
    with connect(dsn) as connection:
        write_pages(connection, settings)
        answers: dict[str, Any] = {
            name: connection.execute(reference_queries()[name]).fetchall()
            for name in ("drift_trend", "retraining_needed")
        }
    told = {path.name: path.read_text() for path in settings.reports_dir.glob("*.html")}
    assert sorted(told) == [f"{week(1)}.html", f"{week(2)}.html", "index.html"]
    dashboard = json.loads((settings.reports_dir / "dashboard.json").read_text())
    del dashboard["written_at"]
    figures = {
        family.name: family.samples
        for family in PlatformFigures(settings.reports_dir).collect()
        if "written" not in family.name
    }
    arguments = ("drift", "report", "--week", "batch_w2", "--json")
    report = CliRunner().invoke(cli.app, arguments, catch_exceptions=False).stdout
    return told | answers | {
        "dashboard": dashboard,
        "figures": figures,
        "command": json.loads(report),
        "status": platform_status(settings)["drift"],
        "demo": measured.weeks(lambda: connect(dsn)),
    }  # fmt: skip


def test_raised_thresholds_change_no_recorded_verdict_anywhere(
    warehouse: str, arrive: Arrive, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    low = policy_of(monkeypatch, LOW, "0.0001")
    for number in (1, 2):
        arrive(number)
        with connect(warehouse) as connection:
            check_week(connection, week(number), low.drift, low.evidence)
            judge_performance(connection, number, low)
    before = shown(warehouse, low)
    high = policy_of(monkeypatch, HIGH, "9.0")
    after = shown(warehouse, high)
    for name, what in before.items():
        assert after[name] == what, name
    assert Level.DRIFT.value in before["index.html"]
    assert before["status"]["verdict"] == before["status"]["performance"] == Level.DRIFT.value
    rows = before["dashboard"]["tables"]["drift"]
    assert len([row for row in rows if row["alert"]]) == 2 * (2 * 3 + 2)
    alerts = before["figures"]["cinematch_drift_alert"]
    assert [sample.value for sample in alerts] == [1.0] * 8
    assert len(before["drift_trend"]) == 2 * (2 * 3 + 2)
    assert before["retraining_needed"][0][1] == 2 * (2 * 3 + 2)  # open alerts

    # Only who has a week judged again gets the verdict of today.
    with connect(warehouse) as connection:
        check_week(connection, week(2), high.drift, high.evidence)
    again = shown(warehouse, high)
    assert again[f"{week(1)}.html"] == before[f"{week(1)}.html"]
    assert again["status"]["verdict"] == Level.INSUFFICIENT.value
    assert settings.drift not in (low.drift, high.drift)
