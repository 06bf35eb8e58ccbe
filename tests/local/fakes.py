"""Light servers in place of Dagster, MLflow and the API."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from cinematch_dagster.local.processes import Service
from tests.ports import free_port

SERVER = Path(__file__).with_name("fake_server.py")


def fake(name: str = "fake", port: int | None = None, *behaviours: str) -> Service:
    """A service that runs `fake_server.py`."""
    port = port or free_port()
    command = (sys.executable, str(SERVER), str(port), *behaviours)
    return Service(name, command, port, "/health", f"CINEMATCH_{name.upper()}_PORT")


def wait_for(what: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


def with_grandchild(pid: int) -> list[psutil.Process]:
    """A fake server with the behaviour `children`, its child and its grandchild."""
    server = psutil.Process(pid)
    wait_for(lambda: len(server.children(recursive=True)) == 2)
    return [server, *server.children(recursive=True)]
