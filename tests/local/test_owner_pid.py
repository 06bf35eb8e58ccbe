import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from cinematch_dagster.local.owner_pid import claim, release, remember, remembered, starter
from tests.local.conftest import Launch
from tests.local.fakes import fake, wait_for

CLAIM = """
import sys, time
from pathlib import Path
from cinematch_dagster.local.owner_pid import claim, starter

def permitted():
    if starter(Path(sys.argv[1])):
        sys.exit("taken")
    time.sleep(0.5)

print("ready", flush=True)
sys.stdin.readline()
claim(Path(sys.argv[1]), permitted)
print("mine", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "starter.json"


def test_a_running_process_is_remembered(file: Path, launch: Launch) -> None:
    process = psutil.Process(launch(fake()).pid)
    remember(file, process)
    assert remembered(file) == process
    assert list(file.parent.glob("starter*")) == [file]


def test_nothing_is_remembered_at_first(file: Path) -> None:
    assert remembered(file) is None


def test_another_process_with_the_same_pid_is_not_the_one(file: Path, launch: Launch) -> None:
    process = psutil.Process(launch(fake()).pid)
    for seconds, same in ((-60, False), (-1, True), (1, True), (60, False)):
        started = process.create_time() + seconds
        file.write_text(json.dumps({"pid": process.pid, "started": started}))
        assert (remembered(file) is not None) is same


def test_a_process_that_ended_is_not_remembered(file: Path, launch: Launch) -> None:
    ended = launch(fake("fake", None, "broken"))
    process = psutil.Process(ended.pid)
    remember(file, process)
    wait_for(lambda: process.status() == psutil.STATUS_ZOMBIE)
    assert remembered(file) is None
    ended.wait()
    assert remembered(file) is None


def test_the_starter_is_somebody_else(tmp_path: Path, launch: Launch) -> None:
    claim(tmp_path, lambda: None)
    own = remembered(tmp_path / "starter.json")
    assert own is not None
    assert own.pid == os.getpid()
    assert starter(tmp_path) is None
    other = psutil.Process(launch(fake()).pid)
    remember(tmp_path / "starter.json", other)
    assert starter(tmp_path) == other
    release(tmp_path)
    assert starter(tmp_path) is None
    release(tmp_path)


def test_a_claim_that_is_not_permitted_changes_nothing(tmp_path: Path, file: Path) -> None:
    def refuse() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        claim(tmp_path, refuse)
    assert not file.exists()


def test_of_several_claims_at_once_one_is_permitted(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CLAIM, str(tmp_path)]
    claims = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(3)
    ]
    for process in claims:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
    for process in claims:
        assert process.stdin
        process.stdin.write(b"go\n")
        process.stdin.flush()
    wait_for(lambda: sum(process.poll() is not None for process in claims) == 2)
    answers = sorted(tuple(process.communicate()) for process in claims)
    assert answers == [(b"", b"taken\n"), (b"", b"taken\n"), (b"mine\n", b"")]
