"""`cinematch retrain`: what the GitHub workflow runs, as a process of its own."""

import json
import os
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from typer.testing import CliRunner

from cinematch_dagster import cli
from cinematch_dagster.commands.retrain import RetrainingError
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.warehouse.retraining.decisions import Decision, decision, record_decision
from tests.e2e.support import cinematch
from tests.pipeline.retraining.fake_github import FakeGitHub
from tests.pipeline.support import week


@pytest.fixture
def dagster(httpserver: HTTPServer) -> FakeGitHub:
    """A web server that is told of materializations; any server that remembers will do."""
    return FakeGitHub(httpserver, statuses=[200])


def decide(dsn: str, number: int) -> Decision:
    made = Decision(
        "trigger_actual", "because", 30_000, 0.1, (), (week(number),), week(number), "key:1"
    )
    with connect(dsn) as connection:
        record_decision(connection, made)
    return made


@pytest.mark.slow  # a whole retraining in a process; the story retrains in one, too
def test_what_was_decided_is_trained_promoted_and_reported_once(
    warehouse: str, dagster: FakeGitHub
) -> None:
    decide(warehouse, 0)

    def run() -> Any:
        told = cinematch(
            "retrain", "--json", "--report-to", dagster.url,
            environment=dict(os.environ), seconds=500,
        )  # fmt: skip
        return json.loads(told)

    outcome = run()
    assert (outcome["week"], outcome["promoted"]) == ("2023-12-25", True)
    with connect(warehouse) as connection:
        promoted = connection.execute("SELECT version, reason FROM promotions").fetchall()
    assert promoted == [(outcome["version"], outcome["reason"])]
    assert [asked.path for asked in dagster.asked] == [
        "/report_asset_materialization/trained_model",
        "/report_asset_materialization/production_registration",
    ]
    assert {asked.body["partition"] for asked in dagster.asked} == {"2023-12-25"}
    assert run() is None  # started twice for one decision, it trains once
    assert len(dagster.asked) == 2


@pytest.mark.usefixtures("platform_settings")
def test_a_failure_is_one_sentence_and_written_down(warehouse_dsn: str) -> None:
    made = decide(warehouse_dsn, 1)  # nothing is loaded
    with pytest.raises(RetrainingError, match=r"^the retraining of week 2024-01-01 failed"):
        CliRunner().invoke(cli.app, ["retrain"], catch_exceptions=False)
    with connect(warehouse_dsn) as connection:
        written = decision(connection, made.run_key)
    assert written is not None
    assert written.decision == "trigger_failed"
    assert "the retraining of week 2024-01-01 failed" in written.reason


@pytest.mark.usefixtures("platform_settings")
def test_nothing_decided_is_nothing_to_do() -> None:
    result = CliRunner().invoke(cli.app, ["retrain"], catch_exceptions=False)
    assert result.stdout == "Nothing to retrain: every decision was carried out.\n"
