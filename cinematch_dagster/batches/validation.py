"""Checks of a batch file, from its place down to its rows; the first fault is reported."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from cinematch_dagster.batches.errors import BadBatchError
from cinematch_dagster.batches.frame import PAIR, is_id, is_plausible_time, pair_keys, repeated
from serving.base.scale import is_on_scale

MOST_ROWS: Final = 30_000_000
MOST_BYTES: Final = 2**31  # of all columns, before compression
LONGEST_VALUE: Final = 60  # characters of a bad value that are shown

_ID: Final = (is_id, "a whole number from 0 to 2147483647")
_VALUES: Final[dict[str, tuple[Callable[[np.ndarray], np.ndarray], str]]] = {
    "userId": _ID,
    "movieId": _ID,
    "rating": (is_on_scale, "a half star from 0.5 to 5.0"),
    "timestamp": (is_plausible_time, "unix seconds from 1995 on and not in the future"),
}


def check_location(path: Path) -> None:
    """Check that the file is not a link that leads out of its folder."""
    target = path.resolve()
    if not target.is_relative_to(path.parent.resolve()):
        raise BadBatchError(f"{path}: a link to {target}, expected a file inside {path.parent}")


def check_types(
    path: Path, schema: pa.Schema, expected: pa.Schema, optional: Collection[str] = ()
) -> None:
    """Check that each expected column is there once, unless it is optional, and of its kind."""
    for field in expected:
        found = schema.get_all_field_indices(field.name)
        if not found and field.name in optional:
            continue
        if len(found) != 1:
            raise BadBatchError(
                f"{path}: column {field.name} is there {len(found)} times, expected once"
            )
        kind = schema.field(found[0]).type
        if not _same_kind(kind, field.type):
            raise BadBatchError(
                f"{path}: column {field.name} has type {kind}, expected {field.type}"
            )


def check_size(path: Path, parts: Sequence[Any]) -> None:
    """Check what the metadata of Parquet files say of their size, before anything is decoded."""
    n_rows = sum(metadata.num_rows for metadata in parts)
    if not 1 <= n_rows <= MOST_ROWS:
        raise BadBatchError(f"{path}: {n_rows} rows, expected 1 to {MOST_ROWS}")
    groups = (part.row_group(n) for part in parts for n in range(part.num_row_groups))
    n_bytes = sum(group.total_byte_size for group in groups)
    if n_bytes > MOST_BYTES:
        raise BadBatchError(f"{path}: {n_bytes} bytes unpacked, expected at most {MOST_BYTES}")


def check_columns(path: Path, table: pa.Table, expected: pa.Schema) -> None:
    """Check that no wanted value is missing, and that all text (dictionary-encoded) is UTF-8."""
    for name in expected.names:
        if name not in table.column_names:
            continue
        row = pc.index(table[name].is_null(), True).as_py()
        if row >= 0:
            raise BadBatchError(f"{path}: column {name}, row {row}: null, expected a value")
    for name, column in zip(table.column_names, table.columns, strict=True):
        if is_text(column.type) and (row := _first_undecodable(column)) is not None:
            raise BadBatchError(f"{path}: column {name}, row {row}: not UTF-8, expected text")


def check_rows(path: Path, frame: pd.DataFrame, batch_id: str) -> None:
    """Check every value, and the batch that the rows belong to, where they say so."""
    for column, (is_valid, expected) in _VALUES.items():
        _refuse(path, frame[[column]], ~is_valid(frame[column].to_numpy()), expected)
    if "batch_id" in frame:
        is_other = (frame["batch_id"] != batch_id).to_numpy()
        _refuse(path, frame[["batch_id"]], is_other, f"{batch_id}, as the file is named")


def check_pairs(path: Path, frame: pd.DataFrame) -> None:
    """Check that no pair of user and movie is rated twice."""
    _refuse(path, frame[PAIR], _is_repeated(frame), "each pair once")


def is_text(kind: pa.DataType) -> bool:
    """Tell whether a column of this type holds text."""
    plain = _plain(kind)
    return bool(pt.is_string(plain) or pt.is_large_string(plain) or pt.is_string_view(plain))


def _plain(kind: pa.DataType) -> pa.DataType:
    """Return the type of the values, also of categories."""
    return kind.value_type if pt.is_dictionary(kind) else kind


def _refuse(path: Path, found: pd.DataFrame, is_bad: np.ndarray, expected: str) -> None:
    """Raise for the first bad row, if there is one."""
    if not is_bad.any():
        return
    row = int(is_bad.argmax())
    columns, values = (", ".join(map(str, part)) for part in (found, found.iloc[row].tolist()))
    shown = values if len(values) <= LONGEST_VALUE else f"{values[:LONGEST_VALUE]}…"
    raise BadBatchError(f"{path}: column {columns}, row {row}: {shown}, expected {expected}")


def _is_repeated(frame: pd.DataFrame) -> np.ndarray:
    """Tell which rows have a pair that an earlier row has."""
    keys = pair_keys(*(frame[column].to_numpy() for column in PAIR))
    is_repeated = np.isin(keys, repeated(keys))
    is_repeated[is_repeated] = frame[is_repeated].duplicated(PAIR)
    return is_repeated


def _first_undecodable(column: pa.ChunkedArray) -> int | None:
    """Return the first row whose text is not UTF-8."""
    before = 0
    for chunk in column.chunks:
        try:
            chunk.dictionary.validate(full=True)
        except pa.ArrowInvalid:
            is_bad = [not _decodes(x) for x in chunk.dictionary.cast(pa.binary()).to_pylist()]
            row: int = pc.index(pc.take(pa.array(is_bad), chunk.indices), True).as_py()
            if row >= 0:
                return before + row
        before += len(chunk)
    return None


def _decodes(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _same_kind(found: pa.DataType, expected: pa.DataType) -> bool:
    return any(
        is_kind(_plain(found)) and is_kind(expected)
        for is_kind in (pt.is_integer, pt.is_floating, is_text)
    )
