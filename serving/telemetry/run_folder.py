"""The folder of one run, in which its workers count.

Nothing here imports prometheus_client: it decides at its import whether it counts in files.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
RUN = "run-"


@contextmanager
def folder_of_a_run(parent: Path) -> Iterator[None]:
    """Make the folder for the workers of this process; those that killed processes left go."""
    parent.mkdir(parents=True, exist_ok=True)
    for old in parent.glob(f"{RUN}*"):
        if not lives(old.name.removeprefix(RUN).partition("-")[0]):
            shutil.rmtree(old, ignore_errors=True)
    prefix = f"{RUN}{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent, ignore_cleanup_errors=True) as run:
        os.environ[FOLDER] = run  # inherited by the workers
        yield


def lives(pid: str) -> bool:
    """Whether there is a process of this number."""
    return Path("/proc", pid).exists()
