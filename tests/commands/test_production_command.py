import datetime
import getpass
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from typer.testing import CliRunner

from cinematch_dagster import cli
from cinematch_dagster.pipeline.registry import versions as registry
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import load_settings
from cinematch_dagster.warehouse.registry.production import RollbackError
from cinematch_dagster.warehouse.registry.promotions import Promotion, record_promotion

START = datetime.datetime(2024, 2, 5, 12, tzinfo=datetime.UTC)
Run = Callable[..., str]


def promotion(version: str, before: str | None, week: int) -> Promotion:
    return Promotion(
        version=version,
        from_version=before,
        week=datetime.date(2024, 1, week),
        promoted=True,
        reason=f"Promoted: better than {before} [0.1]",
        mlflow_run_id=f"run-{version}",
        dagster_run_id="dagster",
        buffer_policy="merge",
        scores={},
    )


@pytest.fixture
def run(platform_settings: Path, warehouse_dsn: str) -> Run:
    """Version 1 served from noon on 5 February 2024, version 2 from midnight."""
    assert platform_settings.is_dir()
    with connect(warehouse_dsn) as connection:
        for number, made in enumerate((promotion("1", None, 1), promotion("2", "1", 8))):
            record_promotion(connection, made)
            connection.execute(
                "UPDATE promotions SET decided_at = %s WHERE version = %s",
                [START + number * datetime.timedelta(hours=12), made.version],
            )

    def invoke(*arguments: str) -> str:
        result = CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    return invoke


def versions(text: str) -> list[str]:
    return [period["version"] for period in json.loads(text)]


def test_the_whole_history_for_programs(run: Run) -> None:
    first, second = json.loads(run("history", "--json"))
    assert (first["since"], first["until"]) == (
        "2024-02-05T12:00:00+00:00",
        "2024-02-06T00:00:00+00:00",
    )
    assert (second["version"], second["week"], second["until"]) == ("2", "2024-01-08", None)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2024-02-04", []),
        ("2024-02-05", ["1"]),
        ("20240205", ["1"]),
        ("9999-12-31", ["2"]),
        ("2024-02-06", ["2"]),
        ("2024-02-05T11:59:59", []),
        ("2024-02-05T12:00", ["1"]),
        ("2024-02-06T02:00+03:00", ["1"]),
    ],
)
def test_what_served_on_a_day_or_at_a_moment(run: Run, at: str, expected: list[str]) -> None:
    assert versions(run("history", "--at", at, "--json")) == expected


def test_the_history_for_people(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert "Promoted: better than 1 [0.1]" in run("history")
    assert run("history", "--at", "2024-01-01") == "Nothing was in production.\n"


@pytest.mark.parametrize("at", ["yesterday", "2024-13-01"])
def test_another_date_is_explained(run: Run, at: str) -> None:
    assert callable(run)
    result = CliRunner().invoke(cli.app, ["history", "--at", at])
    assert result.exit_code == 2
    assert f"'{at}' (expected a day" in " ".join(result.output.split()).replace("│ ", "")


def test_a_rollback_that_mlflow_can_t_follow_changes_nothing(
    run: Run, mlflow_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINEMATCH_MLFLOW_TRACKING_URI", mlflow_server)
    monkeypatch.setattr("cinematch_dagster.pipeline.registry.versions.MODEL_NAME", "not_registered")
    load_settings.cache_clear()
    with pytest.raises(RollbackError, match="MLflow has no version 1 of not_registered"):
        CliRunner().invoke(cli.app, ["rollback", "--to", "1"], catch_exceptions=False)
    assert versions(run("history", "--json")) == ["1", "2"]


@pytest.fixture
def client(
    run: Run, mlflow_server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> MlflowClient:
    """Of a server that has versions 1 and 2 of the model, under a name of the test's own."""
    assert callable(run)
    client, name = MlflowClient(mlflow_server), request.node.name
    monkeypatch.setenv("CINEMATCH_MLFLOW_TRACKING_URI", mlflow_server)
    monkeypatch.setattr("cinematch_dagster.pipeline.registry.versions.MODEL_NAME", name)
    load_settings.cache_clear()
    client.create_registered_model(name)
    for _ in range(2):
        info = client.create_run(experiment_id="0").info
        client.create_model_version(name, f"{info.artifact_uri}/model", info.run_id)
    return client


def serves(client: MlflowClient) -> str:
    return str(client.get_model_version_by_alias(registry.MODEL_NAME, "production").version)


def test_a_rollback_that_mlflow_follows_by_half_leaves_the_same_version_to_the_api(
    run: Run, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.set_registered_model_alias(registry.MODEL_NAME, "production", "2")

    def away(*_: object) -> None:
        raise MlflowException("the server is away")

    monkeypatch.setattr(MlflowClient, "set_model_version_tag", away)
    with pytest.raises(RollbackError, match="MLflow could not follow to version 1"):
        CliRunner().invoke(cli.app, ["rollback"], catch_exceptions=False)
    assert serves(client) == "2"
    assert versions(run("history", "--json")) == ["1", "2"]


def test_a_rollback_says_what_serves_now(run: Run, client: MlflowClient) -> None:
    said = run("rollback", "--reason", "too slow")
    assert said == (
        f"Rolled back from version 2 by {getpass.getuser()}: too slow. "
        "Version 1, of week 2024-01-01, is in production.\n"
    )
    assert serves(client) == "1"
    assert versions(run("history", "--json")) == ["1", "2", "1"]
