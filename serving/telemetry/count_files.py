"""The files in which workers count, with their space taken at the start.

prometheus_client maps them into memory. A page for which the disk has no room is a SIGBUS, the end
of the process without a word; so no file here is longer than what the disk has set aside for it,
and where there is no room, a worker counts in its own memory.
"""

from __future__ import annotations

import io
import logging
import mmap
import os
import re
import struct
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import Metric, values
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

from serving.telemetry.run_folder import lives

FILE_BYTES = 2**18
"""A file's space: for about a thousand figures."""
LONGEST_ENTRY = 2**12
PID = re.compile(r"_(\d+)\.db$")

logger = logging.getLogger(__name__)


def reserve(folder: Path, kinds: Iterable[str]) -> None:
    """Take the space of this worker's files, and give back what dead ones did not use."""
    for file in _files_of_the_dead(folder):
        _shorten(file)
    for kind in kinds:
        own = CountFile(str(folder / f"{kind}_{os.getpid()}.db"))
        own.close()  # type: ignore[no-untyped-call]  # the library


def install() -> None:
    """Have prometheus_client count in files of this kind; call it before a figure is made."""
    values.MmapedDict = CountFile  # type: ignore[attr-defined]  # no other way to choose it


class CountFile(MmapedDict):
    """The library's file, whose growth is set aside on the disk, or held in memory."""

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        try:
            with open(filename, "ab") as file:  # noqa: PTH123  # as the library names it
                os.posix_fallocate(file.fileno(), 0, FILE_BYTES)
            super().__init__(filename, read_mode)  # type: ignore[no-untyped-call]  # the library
        except Exception as error:  # no room, no folder, or bytes that are no counts
            logger.warning("%s can't be used (%s): this worker's memory counts", filename, error)
            Path(filename).unlink(missing_ok=True)
            self._in_memory(filename)

    def _in_memory(self, filename: str) -> None:
        self._f, self._fname, self._positions = io.BytesIO(), filename, dict[str, int]()
        self._capacity, self._used = FILE_BYTES, 8
        self._m = mmap.mmap(-1, FILE_BYTES)

    def _init_value(self, key: str) -> None:
        if self._used + LONGEST_ENTRY > self._capacity:
            self._grow()
        super()._init_value(key)  # type: ignore[no-untyped-call]  # the library

    def _grow(self) -> None:
        """Double the file, or go on in memory."""
        self._capacity *= 2
        try:
            os.posix_fallocate(self._f.fileno(), 0, self._capacity)
            grown = mmap.mmap(self._f.fileno(), self._capacity)
        except OSError as error:  # one of them that there is no file
            logger.warning("%s can't grow (%s): this worker's memory counts", self._fname, error)
            grown = mmap.mmap(-1, self._capacity)
            grown[: self._used] = self._m[: self._used]
        self._m = grown


class WholeFiles(MultiProcessCollector):
    """Add up the files that can be read; name each other one once."""

    _named: set[str] = set()  # noqa: RUF012  # of the process: a collector lives for one answer

    def collect(self) -> Iterable[Metric]:
        """Add them up."""
        files = [str(file) for file in sorted(Path(self._path).glob("*.db")) if self._whole(file)]
        found: Iterable[Metric] = self.merge(files)  # type: ignore[no-untyped-call]  # the library
        return found

    def _whole(self, file: Path) -> bool:
        try:
            self.merge([str(file)])  # type: ignore[no-untyped-call]  # too
        except Exception as error:  # whatever bytes may lie there
            if file.name not in self._named:
                self._named.add(file.name)
                logger.warning("%s is left out of the figures: %r", file, error)
            return False
        return True


def forget_the_dead(folder: Path) -> None:
    """Drop what a worker that was killed said about itself; its counts stay."""
    for file in _files_of_the_dead(folder):
        if file.name.startswith("gauge_live"):
            file.unlink(missing_ok=True)


def _files_of_the_dead(folder: Path) -> list[Path]:
    return [
        file for file in folder.glob("*.db") if (pid := PID.search(file.name)) and not lives(pid[1])
    ]


def _shorten(file: Path) -> None:
    """Give back the space that a file does not use."""
    try:
        with file.open("r+b") as opened:
            (used,) = struct.unpack("i", opened.read(4))
            if 0 < used < file.stat().st_size:
                opened.truncate(used)
    except (OSError, struct.error):
        pass  # it stays as it is
