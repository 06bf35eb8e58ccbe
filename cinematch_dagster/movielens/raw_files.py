"""The two formats of MovieLens: CSV with a header, and '::' between the fields without one."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv

from cinematch_dagster.movielens.errors import BadDatasetError
from cinematch_dagster.movielens.ratings import COLUMNS, DTYPES
from cinematch_dagster.movielens.unpack import MOVIES, RATINGS, present

MOVIE_COLUMNS: Final = ["movieId", "title", "genres"]
NARROW: Final = {c: pa.type_for_alias(t.replace("float32", "float")) for c, t in DTYPES.items()}
WIDE: Final = {c: pa.float64() if c == "rating" else pa.int64() for c in COLUMNS}
_NUMBER: Final = {
    c: r"^-?\d+(\.\d+)?([eE][-+]?\d+)?$" if c == "rating" else r"^-?\d{1,18}$" for c in COLUMNS
}


def read_ratings(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read ratings.csv or ratings.dat.

    A file of sound lines is read in one go by all cores into the types of a ratings frame. The
    others are read line by line into wider types; an empty field is null.

    Returns:
        Columns userId, movieId, rating, timestamp, in the order of the file; and the lines that
        are not four numbers: line (from 1, empty lines not counted), text, reason
        (unparsable_line).

    Raises:
        BadDatasetError: there is no such file, or a column is not in its header.
    """
    path = present(folder, RATINGS)
    names, skipped, delimiter = _layout(path)
    read = pv.ReadOptions(column_names=names, skip_rows=skipped, block_size=1 << 23)
    parse = pv.ParseOptions(delimiter=delimiter)
    convert = pv.ConvertOptions(include_columns=COLUMNS, column_types=NARROW)
    try:
        table = pv.read_csv(path, read, parse, convert)
    except pa.ArrowInvalid:
        return _read_by_line(path, names, skipped, delimiter)
    return _to_pandas(table), _unparsable([], [])


def read_movies(folder: Path) -> pd.DataFrame:
    """Read movies.csv or movies.dat, UTF-8 or latin-1: movieId int32, title, genres.

    Raises:
        BadDatasetError: there is no such file, or a line has no number and two texts.
    """
    path = present(folder, MOVIES)
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    lines = text.splitlines()
    fields = [x.split("::") for x in lines] if path.suffix == ".dat" else list(csv.reader(lines))
    if path.suffix == ".csv":
        fields = fields[1:]
    for line, row in enumerate(fields, start=len(lines) - len(fields) + 1):
        if len(row) != len(MOVIE_COLUMNS) or not row[0].isdecimal():
            raise BadDatasetError(f"{path}: line {line}: {row}, expected movieId, title, genres")
    return pd.DataFrame(fields, columns=MOVIE_COLUMNS).astype({"movieId": "int32"})


def _layout(path: Path) -> tuple[list[str], int, str]:
    """Return the names of the columns, the lines before the first row, and the delimiter."""
    if path.suffix == ".dat":  # read as if ':' parted seven columns, three of them empty
        between = [f"empty{n}" for n in range(len(COLUMNS))]
        return [name for pair in zip(COLUMNS, between, strict=True) for name in pair][:-1], 0, ":"
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        names = next(csv.reader(file), [])
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        raise BadDatasetError(f"{path}: column {missing[0]} is not in the header {names}")
    return names, 1, ","


def _read_by_line(
    path: Path, names: list[str], skipped: int, delimiter: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    malformed: dict[int, str] = {}

    def set_aside(row: Any) -> str:
        malformed[row.number] = row.text
        return "skip"

    table = pv.read_csv(
        path,
        pv.ReadOptions(False, column_names=names, skip_rows=skipped, encoding="latin-1"),
        pv.ParseOptions(delimiter, invalid_row_handler=set_aside),
        pv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True),
    )
    values, is_bad = {}, pa.scalar(False)
    for column, kind in WIDE.items():
        is_number = pc.match_substring_regex(table[column], _NUMBER[column])
        values[column] = pc.if_else(is_number, table[column], None).cast(kind)
        is_bad = pc.or_(is_bad, pc.invert(is_number).fill_null(False))
    n_lines = len(table) + len(malformed)
    sound = [n for n in range(skipped + 1, skipped + 1 + n_lines) if n not in malformed]
    return sound, is_bad  # type: ignore[return-value]


def _unparsable(lines: list[int], texts: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame({"line": lines, "text": texts, "reason": "unparsable_line"})
    return frame.astype({"line": "int64", "text": "object", "reason": "object"})


def _to_pandas(table: pa.Table) -> pd.DataFrame:
    return table.to_pandas(split_blocks=True, self_destruct=True)
