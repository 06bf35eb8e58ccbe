import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cinematch_dagster.warehouse import embedded
from cinematch_dagster.warehouse.connection import connect


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
