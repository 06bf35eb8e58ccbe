"""Lines appended to a file that several processes share."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = b" (not finished)\n"
"""Ends a line that a writer who was killed has begun: no reader takes it for a whole one."""


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """Open a file for reading and appending, alone among those who lock it; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)


def append_line(file: int, line: bytes, *, sync: bool = False) -> int:
    """Append a line to a file that is `locked`, whole or not at all; return where it ends.

    Args:
        file: descriptor.
        line: without its end.
        sync: force it to the disk.

    Raises:
        OSError: nothing was appended.
    """
    end = os.fstat(file).st_size
    torn = end > 0 and os.pread(file, 1, end - 1) != b"\n"
    data = (UNFINISHED if torn else b"") + line + b"\n"
    try:
        _write_all(file, data)
        if sync:
            os.fsync(file)
    except OSError:
        os.ftruncate(file, end)
        raise
    return end + len(data)


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
