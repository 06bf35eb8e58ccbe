"""`cinematch up` as a user runs it, with the real servers."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from cinematch_dagster.postgres import embedded
from cinematch_dagster.settings import ROOT
from tests.e2e.support import cinematch, processes_of
from tests.ports import free_port

PROGRAM = str(Path(sys.executable).with_name("cinematch"))
PATHS = {"mlflow": "/health", "dagster": "/server_info", "api": "/health"}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Of a user who has set nothing but where things lie and free ports."""
    shutil.copytree(ROOT / "data" / "sample", tmp_path / "data" / "sample")
    clean = {name: value for name, value in os.environ.items() if "CINEMATCH" not in name}
    ports = {f"CINEMATCH_{name.upper()}_PORT": str(free_port()) for name in PATHS}
    folders = {"STATE_DIR": tmp_path / "var", "DATA_DIR": tmp_path / "data"}
    return clean | ports | {f"CINEMATCH_{name}": str(path) for name, path in folders.items()}


class Up:
    """`cinematch up`, started by a shell's `&` as a script does; `addresses` once they answer."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.shell = subprocess.Popen(
            ["sh", "-c", '"$0" up & wait $!', PROGRAM],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.shell.stdout
        lines = [self.shell.stdout.readline().split() for _ in PATHS]
        self.addresses = {line[0]: line[1] for line in lines}
        self.hint = self.shell.stdout.readline()
        (self.process,) = psutil.Process(self.shell.pid).children()

    def ended(self) -> tuple[int, str, str]:
        """The exit status and what else was written."""
        output, errors = self.shell.communicate(timeout=30)
        return self.shell.returncode, output, errors


@pytest.fixture
def up(environment: dict[str, str], tmp_path: Path) -> Iterator[Up]:
    started = Up(environment)
    yield started
    cinematch("down", environment=environment, seconds=90)
    started.shell.communicate()
    embedded.destroy(tmp_path / "var" / "postgres")


@pytest.mark.slow  # the platform starts twice; the demo starts it once
def test_up_runs_until_it_is_told_to_stop(
    up: Up, environment: dict[str, str], tmp_path: Path
) -> None:
    for name, path in PATHS.items():
        assert up.addresses[name] == f"http://127.0.0.1:{environment[_port(name)]}"
        assert httpx.get(up.addresses[name] + path).status_code == 200
    assert up.hint == "Ctrl-C stops them.\n"

    second = subprocess.run(
        [PROGRAM, "up"], env=environment | {"CINEMATCH_STATE_DIR": str(tmp_path / "other")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    port = environment["CINEMATCH_MLFLOW_PORT"]
    assert (second.returncode, second.stdout, second.stderr) == (
        1,
        "",
        f"error: port {port} of mlflow is taken: free it or set CINEMATCH_MLFLOW_PORT to another\n",
    )

    up.process.send_signal(signal.SIGINT)
    assert up.ended() == (0, "Stopping …\n", "")
    assert processes_of(tmp_path) == []

    again = Up(environment)
    stopped = cinematch("down", environment=environment, seconds=60)
    assert stopped.startswith("Stopped: ")
    assert all(name in stopped for name in (*PATHS, "postgres"))
    assert again.ended() == (0, "Stopping …\n", "")
    assert processes_of(tmp_path) == []


def _port(name: str) -> str:
    return f"CINEMATCH_{name.upper()}_PORT"
