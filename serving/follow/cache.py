"""Local copies of downloaded models, so that serving starts without the registry."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from serving.base.files import replace_text
from serving.follow.registry import LoadError, Release

KEPT = 3
"""Copies that stay on disk: enough for a rollback without a download."""


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LoadError(
            f"the folder CINEMATCH_SERVING_CACHE_DIR can't be used ({error.strerror})"
        ) from error


class Cache:
    """A folder of models, one folder a release, and a note of the last one that proved good.

    Several processes may share it: a copy, like the note, appears whole or not at all. What writes
    raises `LoadError` where the folder can't be used.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._note = root / "last_good"
        self._asked = root / "reload_asked"

    def folder(self, release: Release) -> Path:
        """Return where the release's copy is, or would be."""
        return self.root / f"{release.version}-{release.created}"

    @_translated()
    def add(self, release: Release, fetch: Callable[[Path], Path]) -> Path:
        """Return the release's copy, made by `fetch` (a scratch folder -> the model in it)."""
        target = self.folder(release)
        if target.is_dir():
            return target
        self.root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.root, prefix="part-") as scratch:
            source = fetch(Path(scratch))
            try:
                source.replace(target)
            except OSError:
                if not target.is_dir():  # it is one when another process was faster
                    raise
        return target

    def discard(self, release: Release) -> None:
        """Remove the release's copy: it is no good."""
        shutil.rmtree(self.folder(release), ignore_errors=True)

    @_translated()
    def mark_good(self, release: Release) -> None:
        """Note the release as the one to start from, and remove the oldest copies."""
        folder = self.folder(release)
        os.utime(folder)
        replace_text(self._note, folder.name)
        copies = sorted(self.root.glob("*/"), key=_modified, reverse=True)
        for old in copies[KEPT:]:
            shutil.rmtree(old, ignore_errors=True)

    @_translated()
    def ask(self) -> int:
        """Ask every process that shares the folder to look at the registry; return when."""
        self.root.mkdir(parents=True, exist_ok=True)
        self._asked.write_text("")
        return self.asked()

    def asked(self) -> int:
        """Return when that was asked last, in nanoseconds since 1970; 0 for never or not known."""
        try:
            return self._asked.stat().st_mtime_ns
        except OSError:
            return 0

    def last_good(self) -> Release | None:
        """Return the release to start from, if its copy is here."""
        try:
            version, _, created = self._note.read_text().rpartition("-")
            release = Release(version, int(created))
        except (FileNotFoundError, ValueError):
            return None
        return release if self.folder(release).is_dir() else None


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
