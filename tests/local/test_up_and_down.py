"""`cinematch up` and `down` as processes, with light servers: how it ends, whatever happens."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from cinematch_dagster.local import processes
from tests.e2e.support import processes_of
from tests.local.fakes import wait_for
from tests.ports import free_port

PROGRAM = [sys.executable, "-m", "tests.local.fake_up"]
Up = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def environment(tmp_path: Path, warehouse_dsn: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if "CINEMATCH" not in name}
    ports = {f"CINEMATCH_{name}_PORT": str(free_port()) for name in ("DAGSTER", "MLFLOW", "API")}
    state = {"CINEMATCH_STATE_DIR": str(tmp_path), "CINEMATCH_DATABASE_URL": warehouse_dsn}
    return clean | ports | state


@pytest.fixture
def up(environment: dict[str, str], tmp_path: Path) -> Iterator[Up]:
    """Start `cinematch up`, optionally by a shell's command line; returns when it runs."""
    started: list[subprocess.Popen[str]] = []

    def start(
        *prefix: str, until: str = "Ctrl-C stops them.", **behaviours: list[str]
    ) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*prefix, *PROGRAM, "up"], text=True, start_new_session=True,
            env=environment | {"BEHAVIOURS": json.dumps(behaviours)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        started.append(process)
        assert process.stdout
        assert any(until in line for line in process.stdout), process.stderr
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
    for roots in processes.found(tmp_path / "logs").values():
        processes.stop(roots)


@pytest.fixture
def down(environment: dict[str, str]) -> Callable[[], str]:
    def run() -> str:
        command = [*PROGRAM, "down"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    return run


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit status and what was written to stderr."""
    _, errors = process.communicate(timeout=30)
    return process.returncode, errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything(number: signal.Signals, up: Up, tmp_path: Path) -> None:
    process = up(dagster=["children"])
    process.send_signal(number)
    assert ended(process) == (0, "")
    assert processes_of(tmp_path) == []


def test_a_signal_during_the_start_stops_everything(up: Up, tmp_path: Path) -> None:
    process = up(until="mlflow", dagster=["mute"])
    process.send_signal(signal.SIGINT)
    assert ended(process) == (0, "")
    assert processes_of(tmp_path) == []


def test_an_impatient_second_signal_leaves_nothing_behind(up: Up, tmp_path: Path) -> None:
    process = up(dagster=["slow", "children"], api=["slow"])
    (quick,) = processes.found(tmp_path / "logs")["mlflow"]
    process.send_signal(signal.SIGINT)
    wait_for(lambda: not processes.is_alive(quick))  # it is stopping now
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
    assert ended(process) == (0, "")
    assert processes_of(tmp_path) == []


def test_a_script_that_started_it_in_the_background_can_interrupt_it(
    up: Up, tmp_path: Path
) -> None:
    shell = up("sh", "-c", '"$@" & wait $!', "sh")
    (background,) = psutil.Process(shell.pid).children()
    background.send_signal(signal.SIGINT)
    assert ended(shell) == (0, "")
    assert processes_of(tmp_path) == []


def test_a_server_that_dies_ends_it_with_one_line(up: Up, tmp_path: Path) -> None:
    process = up(dagster=["children"])
    (dagster,) = processes.found(tmp_path / "logs")["dagster"]
    dagster.kill()
    log = tmp_path / "logs" / "dagster.log"
    assert ended(process) == (1, f"error: dagster ended with status -9: see {log}\n")
    assert processes_of(tmp_path) == []


def test_down_stops_it_from_outside(up: Up, down: Callable[[], str], tmp_path: Path) -> None:
    process = up(dagster=["children"])
    assert sorted(down().removeprefix("Stopped: ").rstrip(".\n").split(", ")) == [
        "api",
        "dagster",
        "mlflow",
    ]
    assert ended(process) == (0, "")
    assert processes_of(tmp_path) == []
    assert down() == "Nothing was running.\n"


def test_down_stops_what_a_killed_one_has_left(
    up: Up, down: Callable[[], str], environment: dict[str, str], tmp_path: Path
) -> None:
    process = up(dagster=["children"])
    process.kill()
    process.wait()
    assert set(processes.found(tmp_path / "logs")) == {"mlflow", "dagster", "api"}
    again = subprocess.run(
        [*PROGRAM, "up"], env=environment, capture_output=True, text=True, check=False
    )
    assert (again.returncode, again.stderr) == (
        1,
        "error: the platform runs already: stop it with `make down`\n",
    )
    assert down().startswith("Stopped: ")
    assert processes_of(tmp_path) == []


@pytest.mark.slow  # starts everything twice
def test_it_starts_again_after_a_kill_of_everything(up: Up, tmp_path: Path) -> None:
    process = up()
    process.kill()
    process.wait()
    for roots in processes.found(tmp_path / "logs").values():
        for root in roots:
            root.kill()
    wait_for(lambda: processes_of(tmp_path) == [])
    second = up()
    second.send_signal(signal.SIGTERM)
    assert ended(second) == (0, "")
