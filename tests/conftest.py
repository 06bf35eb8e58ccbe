import logging
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from cinematch_dagster.local.tracking import tracking_server
from cinematch_dagster.local.watchdog import end_with_us
from cinematch_dagster.postgres import embedded
from cinematch_dagster.postgres.connection import connect, ensure_database
from cinematch_dagster.postgres.dsn import with_database
from cinematch_dagster.postgres.os_user import server_account
from cinematch_dagster.settings import ROOT, load_settings
from cinematch_dagster.warehouse.schema import migrate
from tests.databases import copy_of
from tests.examples import QUICK
from tests.external_postgres import ExternalServer

TOGETHER = ("tests/pipeline/later/", "tests/e2e/faults/")

# Two busy cores: how long one example takes says nothing about the code. Other targets run more.
hypothesis.settings.register_profile("quick", deadline=None, max_examples=QUICK)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=100)
hypothesis.settings.register_profile("lifecycle", deadline=None, max_examples=200)
hypothesis.settings.load_profile("quick")


class Together(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """One worker for the tests of a file, and for those of a folder that begin with one model."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return next((folder for folder in TOGETHER if file.startswith(folder)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Together:
    return Together(config, log)


def pytest_configure() -> None:
    end_with_us()  # with a worker of xdist what it has started, and with pytest its workers


@pytest.fixture(scope="session")
def httpserver_listen_address() -> tuple[str, int]:
    """Where `httpserver` listens: at an address, since a name may have several; it logs nothing."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    return "127.0.0.1", 0


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("postgres")
    server = embedded.start(folder)
    with connect(server, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")  # no test cuts the power
        connection.execute("SELECT pg_reload_conf()")
    yield server
    embedded.destroy(folder)


@pytest.fixture(scope="session")
def warehouse_template(postgres_server: str) -> str:
    with connect(ensure_database(postgres_server, "cinematch_template")) as connection:
        migrate(connection)
    return "cinematch_template"


@pytest.fixture
def warehouse_dsn(postgres_server: str, warehouse_template: str) -> Iterator[str]:
    """A fresh, migrated warehouse."""
    with copy_of(postgres_server, warehouse_template) as name:
        yield with_database(postgres_server, name)


@pytest.fixture(scope="module")
def external() -> Iterator[ExternalServer]:
    """The system's own Postgres, as a server elsewhere."""
    folder = Path(tempfile.mkdtemp(prefix="cinematch-external-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        server = ExternalServer(folder, server_account())
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def platform_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, warehouse_dsn: str
) -> Iterator[Path]:
    """The sample profile on a fresh warehouse and state folder; returns the state folder."""
    shutil.copytree(ROOT / "data" / "sample", tmp_path / "data" / "sample")
    for name, value in {
        "CINEMATCH_PROFILE": "sample",
        "CINEMATCH_DATABASE_URL": warehouse_dsn,
        "CINEMATCH_STATE_DIR": str(tmp_path),
        "CINEMATCH_DATA_DIR": str(tmp_path / "data"),
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "landing").mkdir()
    load_settings.cache_clear()
    yield tmp_path
    load_settings.cache_clear()


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One real tracking server for the whole session; tests use model names of their own."""
    with tracking_server(tmp_path_factory.mktemp("mlflow")) as url:
        yield url


@pytest.fixture
def connection(warehouse_dsn: str) -> Iterator[psycopg.Connection]:
    with connect(warehouse_dsn) as connection:
        yield connection


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach, unlike pytest's own."""
    parent = Path(tempfile.mkdtemp(prefix="cinematch-test-", dir="/tmp"))
    parent.chmod(0o755)
    yield parent / "postgres"
    embedded.destroy(parent / "postgres")
    shutil.rmtree(parent)
