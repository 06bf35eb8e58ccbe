"""Which process has started a platform: there is one at most, and it is asked to stop it."""

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import fasteners
import psutil

from cinematch_dagster.local.processes import is_alive
from serving.base.files import replace_text

SAME_START_SECONDS = 5.0  # the clock that start times are measured with may be set meanwhile


def claim(folder: Path, permitted: Callable[[], None]) -> None:
    """Make this process the starter, unless `permitted` raises; one process at a time is asked."""
    folder.mkdir(parents=True, exist_ok=True)
    with fasteners.InterProcessLock(folder / "lock"):
        permitted()
        remember(_file(folder), psutil.Process())


def release(folder: Path) -> None:
    """Forget the starter."""
    _file(folder).unlink(missing_ok=True)


def starter(folder: Path) -> psutil.Process | None:
    """Return the process that has started the platform, if it still runs and is not this one."""
    process = remembered(_file(folder))
    return process if process and process.pid != os.getpid() else None


def _file(folder: Path) -> Path:
    return folder / "starter.json"


def remember(path: Path, process: psutil.Process) -> None:
    """Write down a process; its start time tells another process with the same pid apart."""
    replace_text(path, json.dumps({"pid": process.pid, "started": process.create_time()}))


def remembered(path: Path) -> psutil.Process | None:
    """Return the process that was written down, if it still runs."""
    with contextlib.suppress(FileNotFoundError, psutil.NoSuchProcess):
        known = json.loads(path.read_text())
        process = psutil.Process(known["pid"])
        same = abs(process.create_time() - known["started"]) < SAME_START_SECONDS
        return process if same and is_alive(process) else None
    return None
