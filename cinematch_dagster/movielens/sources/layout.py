"""How a raw file is laid out: its delimiter, its columns, and where its rows begin."""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from cinematch_dagster.movielens.errors import BadDatasetError

DELIMITERS: Final = (",", "\t", ";")
LOOKED_AT: Final = 1 << 16  # bytes in which the head of a file is looked for
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Layout(NamedTuple):
    """Where the values of a file are.

    names: of all columns in their order, each once. empty: those of them that hold nothing.
    begin: the byte at which the rows begin. first_line: the number of their first line.
    """

    names: list[str]
    empty: list[str]
    delimiter: str
    begin: int
    first_line: int


def text_begins(path: Path) -> int:
    """Return the byte after the byte-order mark, if there is one.

    Raises:
        BadDatasetError: the file is empty or in UTF-16.
    """
    with path.open("rb") as file:
        head = file.read(3)
    if not head:
        raise BadDatasetError(f"{path}: is empty")
    if head.startswith(_UTF_16):
        raise BadDatasetError(f"{path}: is in UTF-16, expected UTF-8")
    return 3 if head == codecs.BOM_UTF8 else 0


def layout_of(path: Path, columns: Sequence[str]) -> Layout:
    """Look at the head of a file; `.dat` has '::' between the fields and no header.

    Where most lines end in a delimiter that the header lacks, or the header's rows lack, the
    column behind it is no column.

    Raises:
        BadDatasetError: the file is empty or in UTF-16, or a column is not in its header once.
    """
    begin = text_begins(path)
    if path.suffix == ".dat":
        return _colons(columns, begin)
    with path.open("rb") as file:
        file.seek(begin)
        delimiter, names = header(path, _first_line(file), columns)
        begin = file.tell()
        usual = _usual_fields(file.read(LOOKED_AT), delimiter)
    if usual == (len(names) + 1, True):
        names = [*names, ""]
    elif usual == (len(names) - 1, False) and not names[-1]:
        names = names[:-1]
    unique = [name if name in columns else f"other{n}" for n, name in enumerate(names)]
    is_behind = usual == (len(names), True) and not names[-1]
    return Layout(unique, unique[-1:] if is_behind else [], delimiter, begin, first_line=2)


def header(path: Path, line: str, columns: Sequence[str]) -> tuple[str, list[str]]:
    """Return the delimiter under which the header has all columns, and its names.

    Raises:
        BadDatasetError: a column is missing, or there twice.
    """
    headers = {delimiter: _names(line, delimiter) for delimiter in DELIMITERS}
    delimiter = next((d for d, names in headers.items() if set(columns) <= set(names)), None)
    if delimiter is None:
        names = max(headers.values(), key=len)
        missing = next(column for column in columns if column not in names)
        raise BadDatasetError(f"{path}: column {missing} is not in the header {names}")
    names = headers[delimiter]
    if twice := [column for column in columns if names.count(column) > 1]:
        raise BadDatasetError(f"{path}: column {twice[0]} is twice in the header {names}")
    return delimiter, names


def _names(line: str, delimiter: str) -> list[str]:
    fields = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    return [name.strip() for name in fields]


def _colons(columns: Sequence[str], begin: int) -> Layout:
    """Read '::' as if ':' parted the columns and empty ones between them."""
    empty = [f"empty{n}" for n in range(len(columns) - 1)]
    names = [name for pair in zip(columns, [*empty, ""], strict=True) for name in pair][:-1]
    return Layout(names, empty, ":", begin, first_line=1)


def _first_line(file: BinaryIO) -> str:
    """Return the first line that is not empty; the file is then at the line after it."""
    while line := file.readline(LOOKED_AT):
        if text := line.strip(b"\r\n"):
            return text.decode("utf-8", "replace")
    return ""


def _usual_fields(rows: bytes, delimiter: str) -> tuple[int, bool]:
    """Return how many fields most lines have, and whether the last of them is empty."""
    lines = filter(None, rows.splitlines()[: -1 if len(rows) == LOOKED_AT else None])
    fields = (line.split(delimiter.encode()) for line in lines)
    counts = Counter((len(line), not line[-1].strip()) for line in fields)
    return counts.most_common(1)[0][0] if counts else (0, False)
