"""The files that a batch consists of: one, or the parts in a folder that Spark or Dask wrote."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Final

from cinematch_dagster.batches.errors import BadBatchError

UNFINISHED: Final = "_temporary"
"""What Spark has in a folder until all parts are there."""


def part_files(path: Path) -> list[Path]:
    """Return the files of a batch, in the order of their names; a file consists of itself.

    In a folder, what begins with '.' or '_' (checksums, `_SUCCESS`, `_metadata`) is no part.

    Raises:
        BadBatchError: this is neither a file nor a folder of part files, or one that is still
            being written.
        OSError: it can't be looked at; FileNotFoundError: it is not there.
    """
    mode = path.stat().st_mode
    if stat.S_ISREG(mode):
        return [path]
    if not stat.S_ISDIR(mode):
        raise BadBatchError(f"{path}: neither a file nor a folder of part files")
    if (path / UNFINISHED).exists():
        raise BadBatchError(f"{path}: holds {UNFINISHED}, it is still being written")
    parts = sorted(part for part in path.iterdir() if not part.name.startswith((".", "_")))
    for part in parts:
        if part.suffix != ".parquet" or not part.is_file():
            raise BadBatchError(f"{path}: holds {part.name}, expected part files (*.parquet) alone")
    if not parts:
        raise BadBatchError(f"{path}: a folder without part files (*.parquet)")
    return parts
