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

from cinematch_dagster.batches.frame import COLUMNS, DTYPES, LARGEST_ID
from cinematch_dagster.movielens.errors import BadDatasetError

RATINGS: Final = ("ratings.csv", "ratings.dat")
MOVIES: Final = ("movies.csv", "movies.dat")
MOVIE_COLUMNS: Final = ["movieId", "title", "genres"]
BLOCK_SIZE: Final = 1 << 23  # bytes
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
    path = _present(folder, RATINGS)
    names, skipped, delimiter = _layout(path)
    read = pv.ReadOptions(column_names=names, skip_rows=skipped, block_size=BLOCK_SIZE)
    parse = pv.ParseOptions(delimiter=delimiter)
    convert = pv.ConvertOptions(include_columns=COLUMNS, column_types=NARROW)
    try:
        table = pv.read_csv(path, read, parse, convert)
    except pa.ArrowInvalid:
        return _read_by_line(path, names, skipped, delimiter)
    return to_pandas(table), _unparsable([], [])


def read_movies(folder: Path) -> pd.DataFrame:
    """Read movies.csv or movies.dat, UTF-8 or latin-1: movieId int32, title, genres.

    Raises:
        BadDatasetError: there is no such file, or a line (from 1, empty lines not counted) has no
            id and two texts.
    """
    path = _present(folder, MOVIES)
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    lines = io.StringIO(text, newline=None)
    if path.suffix == ".dat":
        fields = [line.rstrip("\n").split("::") for line in lines if line != "\n"]
    else:
        fields = list(filter(None, csv.reader(lines)))[1:]
    for line, row in enumerate(fields, start=1 + (path.suffix == ".csv")):
        if len(row) != len(MOVIE_COLUMNS) or not _is_movie_id(row[0]):
            raise BadDatasetError(
                f"{path}: line {line}: {row}, expected movieId, title, genres "
                f"(movieId from 0 to {LARGEST_ID})"
            )
    return pd.DataFrame(fields, columns=MOVIE_COLUMNS).astype({"movieId": "int32"})


def _present(folder: Path, names: tuple[str, ...]) -> Path:
    """Return the first of the files that is in the folder.

    Raises:
        BadDatasetError: none is.
    """
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is None:
        raise BadDatasetError(f"{folder}: holds no {' or '.join(names)}")
    return found


def _is_movie_id(text: str) -> bool:
    return text.isdecimal() and float(text) <= LARGEST_ID


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
    """Read block by block, so that a fault costs time in its own block only."""
    malformed: dict[int, str] = {}

    def set_aside(row: Any) -> str:
        malformed[row.number] = row.text
        return "skip"

    read = pv.ReadOptions(
        column_names=names,
        skip_rows=skipped,
        encoding="latin-1",
        block_size=BLOCK_SIZE,
        use_threads=False,  # with threads, lines have no numbers
    )
    parse = pv.ParseOptions(delimiter=delimiter, invalid_row_handler=set_aside)
    texts = dict.fromkeys(names, pa.string())
    convert = pv.ConvertOptions(column_types=texts, strings_can_be_null=True)
    blocks, bad_rows, bad_texts, n_rows = [], [], [], 0
    try:
        for block in pv.open_csv(path, read, parse, convert):
            values, is_bad = _numbers(block)
            blocks.append(values.filter(pc.invert(is_bad)))
            bad_rows += (np.flatnonzero(is_bad) + n_rows).tolist()
            bad_texts += _joined(block.filter(is_bad), delimiter)
            n_rows += len(block)
    except pa.ArrowInvalid as error:
        raise BadDatasetError(f"{path}: can't be read as lines of ratings ({error})") from error
    lines = _line_numbers(np.array(bad_rows, np.int64), sorted(malformed), skipped + 1)
    unparsable = _unparsable([*malformed, *lines], [*malformed.values(), *bad_texts])
    return to_pandas(_narrowed(pa.concat_tables(blocks))), unparsable


def _numbers(block: pa.RecordBatch) -> tuple[pa.Table, pa.Array]:
    """Return the numbers in the texts of a block, and which rows hold a text that is none."""
    nothing = pa.array(np.zeros(len(block), dtype=bool))
    try:
        return pa.table({c: block[c].cast(kind) for c, kind in WIDE.items()}), nothing
    except pa.ArrowInvalid:
        values, is_bad = {}, nothing
    for column, kind in WIDE.items():
        is_number = pc.match_substring_regex(block[column], _NUMBER[column])
        values[column] = pc.if_else(is_number, block[column], None).cast(kind)
        is_bad = pc.or_(is_bad, pc.invert(is_number).fill_null(False))
    return pa.table(values), is_bad


def _joined(rows: pa.RecordBatch, delimiter: str) -> list[str]:
    """Return the lines that some rows were."""
    line = pc.binary_join_element_wise(*rows.columns, delimiter, null_handling="replace")
    return list(line.to_pylist())


def _line_numbers(rows: np.ndarray, malformed: list[int], first: int) -> np.ndarray:
    """Return the lines of well-formed rows (from 0), which malformed lines lie between."""
    rows_before = np.array(malformed, np.int64) - first - np.arange(len(malformed))
    return np.asarray(rows + first + np.searchsorted(rows_before, rows, side="right"))


def _narrowed(table: pa.Table) -> pa.Table:
    """Return the types of a ratings frame where all values fit them."""
    try:
        return table.cast(pa.schema(NARROW))
    except pa.ArrowInvalid:
        return table


def _unparsable(lines: list[int], texts: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame({"line": lines, "text": texts, "reason": "unparsable_line"})
    types = {"line": "int64", "text": "object", "reason": "object"}
    return frame.astype(types).sort_values("line", ignore_index=True)


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """Turn a table into a frame without a second copy; the table can't be used afterwards."""
    frame: pd.DataFrame = table.to_pandas(split_blocks=True, self_destruct=True)
    return frame
