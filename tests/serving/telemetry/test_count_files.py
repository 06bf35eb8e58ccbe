"""Counting goes on, and changes no answer, whatever becomes of the folder that it is done in."""

import contextlib
import errno
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from serving.telemetry.count_files import (
    FILE_BYTES,
    CountFile,
    forget_the_dead,
    reserve,
)
from serving.telemetry.run_folder import FOLDER, folder_of_a_run
from tests.serving.support import Api, api, nowhere, rate, wait_until, with_copy

NOBODY = 2**22 + 1
"""No process has so high a number."""
CAN_MOUNT = (
    shutil.which("unshare")
    and not subprocess.run(
        ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"], check=False, capture_output=True
    ).returncode
)


def answers(running: Api) -> None:
    """Ask what counts in every kind of file, again and again, in ways not asked before."""
    for status, path in ((200, "/users/1"), (404, "/movies/99"), (422, "/movies/x"), (404, "/no")):
        assert running.get(path).status_code == status
    assert running.post("/recommend", {"user_id": 1}).status_code == 200
    assert rate(running.url, 77, 10).status_code == 200
    page = running.get("/metrics")
    assert page.status_code == 200
    assert "cinematch_" in page.text


@pytest.mark.skipif(not CAN_MOUNT, reason="needs a small disk: let `unshare -rm` work")
@pytest.mark.parametrize("when", ["before the start", "after it"])
def test_a_full_disk_ends_no_worker_and_changes_no_answer(tmp_path: Path, when: str) -> None:
    disk = tmp_path / "metrics"
    disk.mkdir()
    fill = f"cp /dev/zero {disk}/full" if when == "before the start" else ":"
    mounted = f'mount -t tmpfs -o size=3m none {disk}; {fill} 2>/dev/null; exec "$@"'
    wrapper = ("unshare", "-rm", "sh", "-c", mounted, "sh")
    with api(
        with_copy(tmp_path), nowhere(), wrapper=wrapper,
        workers="2", ratings_file=str(tmp_path / "ratings.jsonl"),
    ) as running:  # fmt: skip
        running.wait_until_ready()
        wait_until(lambda: len(running.workers()) == 2)
        before = {worker.pid for worker in running.workers()}
        seen = Path(f"/proc/{running.process.pid}/root{disk}/full")
        with contextlib.suppress(OSError), seen.open("ab", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        for _ in range(10):
            answers(running)
        assert {worker.pid for worker in running.workers()} == before


@pytest.mark.parametrize("spoilt", ["the folder goes", "its files go", "empty", "torn", "not ours"])
def test_a_folder_that_was_cleaned_or_spoilt_changes_no_answer(tmp_path: Path, spoilt: str) -> None:
    with api(
        with_copy(tmp_path), nowhere(), ratings_file=str(tmp_path / "ratings.jsonl")
    ) as running:
        running.wait_until_ready()
        (folder,) = (tmp_path / "metrics").iterdir()
        if spoilt == "the folder goes":
            shutil.rmtree(folder)
        elif spoilt == "its files go":
            for file in folder.iterdir():
                file.unlink()
        else:
            bytes_of = {"empty": b"", "torn": b"\xff\x7f\x00\x00" * 9, "not ours": b"hello world"}
            (folder / f"counter_{NOBODY}.db").write_bytes(bytes_of[spoilt])
            (folder / "gauge_liveall_x.db").write_bytes(bytes_of[spoilt])
        answers(running)
        answers(running)
        log = running.log.read_text()
    assert "unexpected error" not in log
    if spoilt in ("torn", "empty", "not ours"):
        assert log.count(f"counter_{NOBODY}.db is left out of the figures") == 1


def test_space_is_taken_at_the_start(tmp_path: Path) -> None:
    reserve(tmp_path, ["counter", "gauge_liveall"])
    sizes = {file.name: file.stat().st_blocks * 512 for file in tmp_path.iterdir()}
    pid = os.getpid()
    assert set(sizes) == {f"counter_{pid}.db", f"gauge_liveall_{pid}.db"}
    assert min(sizes.values()) >= FILE_BYTES


def test_what_the_dead_leave_is_kept_small(tmp_path: Path) -> None:
    dead = CountFile(str(tmp_path / f"counter_{NOBODY}.db"))
    dead.write_value("one", 3.0, 0.0)  # type: ignore[no-untyped-call]  # the library
    dead.close()  # type: ignore[no-untyped-call]  # the library
    (tmp_path / f"gauge_liveall_{NOBODY}.db").touch()
    reserve(tmp_path, ["counter"])
    forget_the_dead(tmp_path)
    assert {f.name for f in tmp_path.iterdir()} == {
        f"counter_{NOBODY}.db", f"counter_{os.getpid()}.db",
    }  # fmt: skip
    left = tmp_path / f"counter_{NOBODY}.db"
    assert left.stat().st_size < 100
    again = CountFile(str(left))
    assert again.read_value("one") == (3.0, 0.0)  # type: ignore[no-untyped-call]  # the library
    again.close()  # type: ignore[no-untyped-call]  # the library


@pytest.mark.parametrize("room", [True, False])
def test_a_file_grows_or_goes_on_in_memory(
    tmp_path: Path, room: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = CountFile(str(tmp_path / "counter_1.db"))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if not room:  # a disk that fills up at this moment can't be had otherwise
        monkeypatch.setattr(os, "posix_fallocate", full)
    for number in range(5_000):
        file.write_value(f"figure {number} {'x' * 100}", float(number), 0.0)  # type: ignore[no-untyped-call]  # the library
    found = [value for _, value, _ in file.read_all_values()]  # type: ignore[no-untyped-call]  # the library
    file.close()  # type: ignore[no-untyped-call]  # the library
    assert found == [float(number) for number in range(5_000)]
    assert ("can't grow" in caplog.text) is not room
    assert (tmp_path / "counter_1.db").stat().st_size == (2**20 if room else FILE_BYTES)


def test_a_run_has_a_folder_and_removes_those_of_runs_that_were_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER, "")
    killed, mine = tmp_path / f"run-{NOBODY}-x", tmp_path / f"run-{os.getpid()}-x"
    killed.mkdir()
    mine.mkdir()
    (tmp_path / "notes").mkdir()
    with folder_of_a_run(tmp_path):
        assert Path(os.environ[FOLDER]).is_dir()
        assert not killed.exists()
        assert mine.is_dir()
    assert not Path(os.environ[FOLDER]).exists()
    assert {f.name for f in tmp_path.iterdir()} == {mine.name, "notes"}
