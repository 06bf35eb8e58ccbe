"""The whole story on a Postgres elsewhere: TCP, a password, and no server of our own beside it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from rich.console import Console

from cinematch_dagster.demo.scenario import Scenario
from cinematch_dagster.local import platform
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import Settings
from tests.e2e.support import processes_of
from tests.external_postgres import PASSWORD, ExternalServer

pytestmark = [pytest.mark.slow, pytest.mark.lifecycle, pytest.mark.timeout(1_800)]


@pytest.fixture(scope="module")
def environment(environment: dict[str, str], external: ExternalServer) -> dict[str, str]:
    """Of a user who has set an address, where only the maintenance database exists so far."""
    with connect(external.dsn(name="postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE cinematch")
    return environment | {"CINEMATCH_DATABASE_URL": external.dsn()}


@pytest.fixture(scope="module")
def report(settings: Settings) -> Iterator[dict[str, Any]]:
    with platform.running(settings, lambda _: None):
        yield Scenario(settings, Console(quiet=True)).run()


def rows(external: ExternalServer, database: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(external.dsn(name=database)) as connection:
        return connection.execute(query.encode()).fetchall()


def test_the_loop_closes(report: dict[str, Any]) -> None:
    assert [d["decision"] for d in report["decisions"]] == ["no_action"] * 5 + ["trigger_actual"]
    assert [m["promoted"] for m in report["models"]] == [True, True]
    assert set(report["serving"]["by_status"]) == {"200"}
    assert set(report["serving"]["by_version"]) == {"1", "2"}


@pytest.mark.usefixtures("report")
def test_every_database_is_on_that_server(external: ExternalServer) -> None:
    assert rows(external, "cinematch", "SELECT count(*) FROM ratings") == [(64_750,)]
    assert rows(external, "mlflow", "SELECT max(version) FROM model_versions") == [(2,)]
    succeeded = "SELECT count(*) >= 9 FROM runs WHERE status = 'SUCCESS'"
    assert rows(external, "dagster", succeeded) == [(True,)]


@pytest.mark.usefixtures("report")
def test_no_embedded_server_was_started(settings: Settings, home: Path) -> None:
    assert not (settings.state_dir / "postgres").exists()
    running = processes_of(home)
    assert len(running) > 3  # the platform is up, so there is something to look through
    assert [line for line in running if "postgres" in line.split(" ")[0]] == []


@pytest.mark.usefixtures("report")
def test_the_password_is_in_no_log_and_no_command_line(settings: Settings, home: Path) -> None:
    logs = [path.read_text(errors="replace") for path in platform.logs(settings).glob("*.log")]
    assert len(logs) == 3
    assert [text for text in (*logs, *processes_of(home)) if PASSWORD in text] == []
