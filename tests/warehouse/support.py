"""The builders, and child processes for the warehouse's tests."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tests.builders import batch, frame, many, promotion, stars, week

__all__ = [
    "batch",
    "child",
    "frame",
    "host",
    "many",
    "outputs",
    "promotion",
    "stars",
    "value",
    "week",
]


def value(connection: psycopg.Connection, statement: str, *parameters: Any) -> Any:
    row = connection.execute(statement.encode(), parameters).fetchone()
    assert row is not None
    return row[0]


def host(dsn: str) -> Path:
    """The folder of the socket."""
    return Path(str(conninfo_to_dict(dsn)["host"]))


def child(code: str, *arguments: object, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        text=True,
        stdout=subprocess.PIPE,
        **options,
    )


def outputs(children: list[subprocess.Popen[str]]) -> list[str]:
    """Wait for child processes that must succeed; return what each wrote."""
    texts = [process.communicate(timeout=120)[0].strip() for process in children]
    assert [process.returncode for process in children] == [0] * len(children)
    return texts
