"""Databases that last as long as a test."""

import contextlib
import uuid
from collections.abc import Iterator

from cinematch_dagster.postgres.connection import connect


@contextlib.contextmanager
def copy_of(server_dsn: str, template: str) -> Iterator[str]:
    """The name of a copy of the database `template`, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    with connect(server_dsn, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        yield name
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
