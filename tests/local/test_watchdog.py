import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from cinematch_dagster.local import watchdog
from cinematch_dagster.local.processes import is_alive
from cinematch_dagster.postgres import cluster
from cinematch_dagster.settings import ROOT
from tests.local.fakes import wait_for

Owner = subprocess.Popen[str]


def start(folder: Path) -> Owner:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.local.owner", str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def started_by(owner: Owner) -> list[psutil.Process]:
    """What it has started, once all of it runs; its watchdog is the first."""
    assert owner.stdout
    pids = json.loads(owner.stdout.readline())
    return [*watchdogs(owner.pid), *map(psutil.Process, pids)]


def watchdogs(pid: int) -> list[psutil.Process]:
    """Those that wait for the end of a process."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if watchdog.__name__ in command and command[-1].startswith(f"{pid}-"):
            found.append(process)
    return found


def end_of_input(owner: Owner) -> None:
    assert owner.stdin
    owner.stdin.close()


WAYS: dict[str, Callable[[Owner], None]] = {
    "killed": lambda owner: owner.send_signal(signal.SIGKILL),
    "terminated": lambda owner: owner.send_signal(signal.SIGTERM),
    "at its end": end_of_input,
}


@pytest.mark.parametrize("way", WAYS)
def test_nothing_outlives_its_owner_however_it_ends(way: str, tmp_path: Path) -> None:
    with start(tmp_path) as owner:
        started = started_by(owner)
        names = [process.name() for process in started]
        assert names.count("postgres") == 1  # the others of a server have no environment
        assert len(started) == 1 + 1 + 3 + 1
        data = (tmp_path / "postgres" / "data").resolve()
        servers = [p for p in psutil.process_iter(["cwd"]) if p.info["cwd"] == str(data)]
        assert len(servers) > 3
        WAYS[way](owner)
        # The owner is not waited for: a zombie has ended, too.
        wait_for(lambda: not any(map(is_alive, [*started, *servers])))
        assert not (data.exists() and cluster.is_private(data.parent))


def test_another_owner_s_processes_are_left_alone(tmp_path: Path) -> None:
    with start(tmp_path / "one") as one, start(tmp_path / "other") as other:
        first, second = started_by(one), started_by(other)
        one.kill()
        wait_for(lambda: not any(map(is_alive, first)))
        assert all(map(is_alive, second))
        other.kill()
        wait_for(lambda: not any(map(is_alive, second)))


@pytest.mark.slow  # it starts MLflow and the API
@pytest.mark.lifecycle
@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_a_killed_test_run_leaves_nothing(workers: tuple[str, ...], tmp_path: Path) -> None:
    file, temporary = tmp_path / "pids.json", f"--basetemp={tmp_path / 'pytest'}"
    unfinished = str(Path(__file__).with_name("unfinished.py"))
    command = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", temporary, *workers)
    with subprocess.Popen(
        [*command, unfinished], cwd=ROOT, env=os.environ | {"PIDS": str(file)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as run:  # fmt: skip
        try:
            wait_for(lambda: run.poll() is not None or file.exists(), seconds=300)
            started = [*map(psutil.Process, json.loads(file.read_text()))]
            assert {"postgres", "mlflow"} <= {process.name() for process in started}
        finally:
            run.kill()
        wait_for(lambda: not any(map(is_alive, started)))


def test_the_tests_have_a_watchdog_and_one_only() -> None:
    watchdog.end_with_us()
    assert len(watchdogs(os.getpid())) == 1
