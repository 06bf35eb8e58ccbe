"""A `.env` where the platform is started: the environment goes before it, in every server."""

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cinematch_dagster.demo.orchestrator import Orchestrator
from cinematch_dagster.local import platform
from cinematch_dagster.local.databases import warehouse_dsn
from cinematch_dagster.postgres.connection import ensure_database
from cinematch_dagster.settings import STARTED_WITH, Settings, SettingsError


@pytest.fixture(scope="module")
def others(postgres_server: str) -> str:
    """A database that isn't the platform's."""
    return ensure_database(postgres_server, "somebody_elses")


@pytest.fixture(scope="module")
def started_where_a_file_names_others(
    settings: Settings, home: Path, others: str
) -> Iterator[Settings]:
    folder = home / "checkout"
    folder.mkdir()
    text = f"CINEMATCH_DATABASE_URL={others}\nCINEMATCH_STATE_DIR={home / 'elsewhere'}\n"
    (folder / ".env").write_text(text)
    before = Path.cwd()
    os.chdir(folder)
    try:
        with platform.running(settings, lambda _: None):
            yield settings
    finally:
        os.chdir(before)


def test_runs_write_where_the_environment_says(
    started_where_a_file_names_others: Settings, others: str, home: Path
) -> None:
    settings = started_where_a_file_names_others
    dagster = Orchestrator(f"http://127.0.0.1:{settings.dagster_port}")
    dagster.run_job("data_preparation", seconds=300)
    dagster.close()
    with psycopg.connect(warehouse_dsn(settings)) as connection:
        assert connection.execute("SELECT count(*) > 0 FROM ratings").fetchone() == (True,)
    with psycopg.connect(others) as connection:
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        assert connection.execute(tables).fetchone() == (0,)
    assert not (home / "elsewhere").exists()


def test_a_process_of_the_platform_refuses_another_database(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STARTED_WITH, "of another address")
    with pytest.raises(SettingsError, match="not the database with which this platform was"):
        warehouse_dsn(settings)
