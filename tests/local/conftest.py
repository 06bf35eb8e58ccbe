import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cinematch_dagster.local import processes
from cinematch_dagster.local.processes import Service
from cinematch_dagster.local.signals import ENDING

Launch = Callable[[Service], subprocess.Popen[bytes]]


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return tmp_path / "logs"


@pytest.fixture
def launch(logs: Path) -> Iterator[Launch]:
    """Start services whose processes are killed and waited for at the test's end."""
    started: list[subprocess.Popen[bytes]] = []

    def start(service: Service) -> subprocess.Popen[bytes]:
        started.append(processes.start(service, {"COLOUR": "green"}, logs))
        return started[-1]

    yield start
    for roots in processes.found(logs).values():
        for member in (member for root in roots for member in processes.family(root)):
            member.kill()
    for process in started:
        process.wait()


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Force follows politeness after half a second."""
    monkeypatch.setattr(processes, "STOP_SECONDS", 0.5)
    monkeypatch.setattr(processes, "KILL_SECONDS", 0.5)


@pytest.fixture
def _signals_restored() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in ENDING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
