"""The two formats of MovieLens: CSV with a header, and '::' between the fields without one."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any, Final

import numpy as np
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
    lines = io.StringIO(text, newline=None)
    if path.suffix == ".dat":
        fields = [line.rstrip("\n").split("::") for line in lines]
    else:
        fields = list(csv.reader(lines))[1:]
    for line, row in enumerate(fields, start=1 + (path.suffix == ".csv")):
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

    texts = pv.read_csv(
        path,
        pv.ReadOptions(
            use_threads=False, column_names=names, skip_rows=skipped, encoding="latin-1"
        ),
        pv.ParseOptions(delimiter=delimiter, invalid_row_handler=set_aside),
        pv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True),
    )
    values, is_bad = _numbers(texts)
    numbers = np.arange(skipped + 1, skipped + 1 + len(texts) + len(malformed))
    lines = np.setdiff1d(numbers, list(malformed))[is_bad.to_numpy()]
    joined = pc.binary_join_element_wise(
        *texts.filter(is_bad).columns, delimiter, null_handling="replace"
    )
    unparsable = _unparsable([*malformed, *lines], [*malformed.values(), *joined.to_pylist()])
    return _to_pandas(values.filter(pc.invert(is_bad))), unparsable


def _numbers(texts: pa.Table) -> tuple[pa.Table, pa.ChunkedArray]:
    """Return the numbers in the texts, and which rows hold a text that is none."""
    values, is_bad = {}, pa.chunked_array([np.zeros(len(texts), dtype=bool)])
    for column, kind in WIDE.items():
        text = texts[column]
        is_number = pc.match_substring_regex(text, _NUMBER[column])
        values[column] = pc.if_else(is_number, text, None).cast(kind)
        is_bad = pc.or_(is_bad, pc.invert(is_number).fill_null(False))
    return pa.table(values), is_bad


def _unparsable(lines: list[int], texts: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame({"line": lines, "text": texts, "reason": "unparsable_line"})
    types = {"line": "int64", "text": "object", "reason": "object"}
    return frame.astype(types).sort_values("line", ignore_index=True)


def _to_pandas(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas(split_blocks=True, self_destruct=True)
    return frame
