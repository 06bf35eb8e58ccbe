"""Lines of ratings to numbers: at once where all of them are plain, else field by field.

Both ways read the same values from the same lines. There is no quoting: a line is a row.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv

from cinematch_dagster.batches.frame import COLUMNS
from cinematch_dagster.movielens.sources.layout import Layout

NARROW: Final = pa.schema(
    {"userId": pa.int32(), "movieId": pa.int32(), "rating": pa.float32(), "timestamp": pa.int64()}
)
WIDE: Final = pa.schema(
    {"userId": pa.int64(), "movieId": pa.int64(), "rating": pa.float64(), "timestamp": pa.int64()}
)
NOTHING: Final = pa.array(pv.ConvertOptions().null_values)
"""What an empty field may look like: nothing, NA, NULL, …"""
SHARE: Final = 1 << 20  # bytes that one thread parses
LONGEST_TEXT: Final = 60  # characters of a bad line that are shown

_WHOLE: Final = r"^-?\d+(\.0*)?$"
_DECIMAL: Final = r"^-?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$"
_DATE_TIME: Final = (
    r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?( ?(Z|[+-]\d{2}:?\d{2}))?)?$"
)
_EXPECTED: Final = {
    "userId": "a whole number",
    "movieId": "a whole number",
    "rating": "a number",
    "timestamp": "unix seconds or a date and time as 2005-04-02 23:53:47",
}


class Fault(NamedTuple):
    """A line that is no rating, and why, in words."""

    line: int
    text: str
    why: str


def count_lines(block: bytes) -> int:
    """Return how many lines of a block are not empty."""
    array = np.frombuffer(block, np.uint8)
    is_end = (array == ord("\n")) | (array == ord("\r"))
    return int(np.count_nonzero(is_end[:-1] < is_end[1:])) + int(not is_end[-1])


def parse_plain(block: bytes, layout: Layout) -> pa.Table | None:
    """Return the ratings of a block of lines by `NARROW`; None where any of them is not plain.

    A plain line has a number in each field, or nothing, and fits the types.
    """
    if b"x" in block or b"X" in block:  # Arrow reads 0x1f as a number
        return None
    read = pv.ReadOptions(column_names=layout.names, block_size=SHARE)
    parse = pv.ParseOptions(delimiter=layout.delimiter, quote_char=False)
    exact = {**dict(zip(NARROW.names, NARROW.types, strict=True)), "rating": pa.float64()}
    convert = pv.ConvertOptions(
        include_columns=[*COLUMNS, *layout.empty],
        column_types={**exact, **dict.fromkeys(layout.empty, pa.null())},
    )
    try:
        table = pv.read_csv(pa.BufferReader(block), read, parse, convert)
    except pa.ArrowInvalid:
        return None
    return narrowed(table.select(COLUMNS))


def narrowed(table: pa.Table) -> pa.Table | None:
    """Return the types of a ratings frame, None where a value does not fit them."""
    stars = table["rating"].cast(pa.float32(), safe=False)
    is_same = pc.and_(pc.is_finite(stars), pc.equal(stars.cast(pa.float64()), table["rating"]))
    if pc.all(is_same).as_py() is False:
        return None
    try:
        return table.set_column(table.column_names.index("rating"), "rating", stars).cast(NARROW)
    except pa.ArrowInvalid:
        return None


def parse_by_field(block: bytes, layout: Layout, first_line: int) -> tuple[pa.Table, list[Fault]]:
    """Return the ratings of a block of lines by `WIDE`, and the lines that are none.

    Blanks around a field, quotes around a number and `.0` behind an id or a time are read, and
    so are times as ISO 8601 dates, UTC unless they say otherwise.
    """
    rows, malformed = _fields(block, layout)
    values, why = _values(rows, layout)
    is_bad = pd.notna(why)
    rejected = np.flatnonzero(is_bad)
    lines = _line_numbers(rejected, sorted(malformed))
    texts = _joined(rows, rejected, layout.delimiter)
    faults = [Fault(int(n), *rest) for n, *rest in zip(lines, texts, why[rejected], strict=True)]
    faults += [
        Fault(number, text, f"{text[:LONGEST_TEXT]!r}, expected {len(COLUMNS)} fields")
        for number, text in malformed.items()
    ]
    table = pa.table(values, schema=WIDE).filter(pa.array(~is_bad))
    return table, sorted(
        Fault(first_line + f.line - 1, _decoded(f.text), _decoded(f.why)) for f in faults
    )


def _values(rows: pa.RecordBatch, layout: Layout) -> tuple[dict[str, pa.Array], np.ndarray]:
    """Return the numbers in each column, and of each row why it is no rating, or None."""
    values, why = {}, np.full(rows.num_rows, None, object)
    for name in layout.empty:
        filled = _trimmed(rows[name]).is_valid().to_numpy(zero_copy_only=False)
        why[filled] = f"more than the {len(COLUMNS)} fields that were expected"
    for name in COLUMNS:
        texts = _trimmed(rows[name])
        values[name], is_lost = _CONVERT[name](texts)
        for row in np.flatnonzero(is_lost & pd.isna(why)):
            found = texts[row].as_py()[:LONGEST_TEXT]
            why[row] = f"column {name}: {found!r}, expected {_EXPECTED[name]}"
    return values, why


def _joined(rows: pa.RecordBatch, which: np.ndarray, delimiter: str) -> list[str]:
    """Return the lines that some rows were."""
    columns = [column.take(pa.array(which)).to_pylist() for column in rows.columns]
    return [delimiter.join(fields) for fields in zip(*columns, strict=True)]


def _fields(block: bytes, layout: Layout) -> tuple[pa.RecordBatch, dict[int, str]]:
    """Return all fields as texts, and by number (from 1) the lines with more fields or fewer."""
    malformed: dict[int, str] = {}

    def set_aside(row: Any) -> str:
        malformed[row.number] = row.text
        return "skip"

    read = pv.ReadOptions(
        column_names=layout.names,
        encoding="latin-1",  # takes every byte
        block_size=2 * len(block) + 1,
        use_threads=False,  # with threads, lines have no numbers
    )
    parse = pv.ParseOptions(
        delimiter=layout.delimiter, quote_char=False, invalid_row_handler=set_aside
    )
    convert = pv.ConvertOptions(
        column_types=dict.fromkeys(layout.names, pa.string()), strings_can_be_null=False
    )
    table = pv.read_csv(pa.BufferReader(block), read, parse, convert).combine_chunks()
    batches = table.to_batches() or [pa.RecordBatch.from_pylist([], schema=table.schema)]
    return batches[0], malformed


def _trimmed(texts: pa.Array) -> pa.Array:
    """Return the fields without blanks and quotes around them, null where nothing is there."""
    bare = pc.utf8_trim(texts, " \t")
    bare = pc.utf8_trim(pc.replace_substring_regex(bare, r'^"(.*)"$', r"\1"), " \t")
    return pc.if_else(pc.is_in(bare, NOTHING), None, bare)


def _whole(texts: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """Return int64 numbers, and which texts are none."""
    is_number = pc.match_substring_regex(texts, _WHOLE)
    digits = pc.replace_substring_regex(pc.if_else(is_number, texts, None), r"\.0*$", "")
    is_long = pc.greater(pc.binary_length(digits), 18)
    values = pc.if_else(is_long, None, digits).cast(pa.int64())
    if pc.any(is_long).as_py():
        values = pa.array([_int64(text) for text in digits.to_pylist()], pa.int64())
    return values, _is_lost(texts, values)


def _int64(text: str | None) -> int | None:
    value = None if text is None or len(text) > 400 else int(text)
    return value if value is not None and -(2**63) <= value < 2**63 else None


def _decimal(texts: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """Return float64 numbers, and which texts are none or too large to be one."""
    is_number = pc.match_substring_regex(texts, _DECIMAL)
    numbers = pc.if_else(is_number, texts, None).to_pylist()
    found = np.array([np.nan if text is None else float(text) for text in numbers], np.float64)
    values = pa.array(found, mask=~np.isfinite(found))
    return values, _is_lost(texts, values)


def _moment(texts: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """Return int64 unix seconds, and which texts are neither those nor a date and time."""
    values, is_lost = _whole(texts)
    is_date = pc.match_substring_regex(texts, _DATE_TIME)
    rows = np.flatnonzero(is_date.fill_null(False).to_numpy(zero_copy_only=False))
    if not len(rows):
        return values, is_lost
    dates = pd.Series(texts.take(pa.array(rows)).to_pylist())
    moments = pd.to_datetime(dates, format="ISO8601", utc=True, errors="coerce")
    is_real = moments.notna().to_numpy()
    seconds = values.to_pandas().astype("Int64").to_numpy(dtype=object, na_value=None)
    seconds[rows[is_real]] = moments[is_real].dt.as_unit("s").astype("int64").to_numpy()
    values = pa.array(seconds, pa.int64())
    return values, _is_lost(texts, values)


_CONVERT: Final = {"userId": _whole, "movieId": _whole, "rating": _decimal, "timestamp": _moment}


def _is_lost(texts: pa.Array, values: pa.Array) -> np.ndarray:
    """Tell where there is a text and no value."""
    return np.asarray(pc.and_(texts.is_valid(), values.is_null()).to_numpy(zero_copy_only=False))


def _line_numbers(rows: np.ndarray, malformed: list[int]) -> np.ndarray:
    """Return the lines (from 1) of rows (from 0), which malformed lines lie between."""
    rows_before = np.array(malformed, np.int64) - 1 - np.arange(len(malformed))
    return np.asarray(rows + 1 + np.searchsorted(rows_before, rows, side="right"))


def _decoded(text: str) -> str:
    """Return UTF-8 that was read as latin-1; what is not UTF-8 stays latin-1."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text
