"""Files that other processes read while they are written."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield where to write the new content of a file, which then replaces it at once.

    A reader sees the old file or the new one, never a part. The content is forced to the disk
    before the file gets its name, and the name after that, so that this holds across a crash of
    the machine, too. After an error the old file stays, and nothing else is left. The name it is
    written under begins with a dot and ends with `.partial`; its folder is made where it lacks.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = f"{os.getpid()}-{threading.get_ident()}"
    partial = path.with_name(f".{path.name}.{writer}.partial")
    try:
        yield partial
        sync(partial)
        partial.replace(path)
        sync(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def replace_text(path: Path, text: str) -> None:
    """Replace a file by a text in UTF-8, as `replacing` does."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def sync(path: Path) -> None:
    """Force a file's content, or a folder's names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
