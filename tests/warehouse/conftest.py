import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cinematch_dagster.warehouse import embedded
from cinematch_dagster.warehouse.connection import connect, ensure_database, migrate
from cinematch_dagster.warehouse.dsn import with_database


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("postgres")
    dsn = embedded.start(folder)
    with connect(dsn, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")  # these databases are thrown away
        connection.execute("SELECT pg_reload_conf()")
    yield dsn
    embedded.destroy(folder)


@pytest.fixture(scope="session")
def warehouse_template(postgres_server: str) -> str:
    with connect(ensure_database(postgres_server, "cinematch_template")) as connection:
        migrate(connection)
    return "cinematch_template"


@pytest.fixture
def warehouse_dsn(postgres_server: str, warehouse_template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    with connect(postgres_server, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {warehouse_template}".encode())
        yield with_database(postgres_server, name)
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


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
