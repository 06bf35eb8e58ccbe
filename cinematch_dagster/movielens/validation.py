"""Checks of a batch file, from its place down to its rows; the first fault is reported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from cinematch_dagster.movielens.errors import BadBatchError
from cinematch_dagster.movielens.ratings import PAIR, is_id, is_on_scale, is_plausible_time

MOST_ROWS: Final = 30_000_000
MOST_BYTES: Final = 2**31  # of all columns, before compression
LONGEST_VALUE: Final = 60  # characters of a bad value that are shown

_ID: Final = (is_id, "a whole number from 0 to 2147483647")
_VALUES: Final[dict[str, tuple[Callable[[pd.Series], pd.Series], str]]] = {
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


def check_types(path: Path, schema: pa.Schema, expected: pa.Schema) -> None:
    """Check that each expected column is there once and of its kind of type."""
    for field in expected:
        found = schema.get_all_field_indices(field.name)
        if len(found) != 1:
            raise BadBatchError(
                f"{path}: column {field.name} is there {len(found)} times, expected once"
            )
        kind = schema.field(found[0]).type
        if not _same_kind(kind, field.type):
            raise BadBatchError(
                f"{path}: column {field.name} has type {kind}, expected {field.type}"
            )


def check_size(path: Path, metadata: Any) -> None:
    """Check what the Parquet file says of its size, before anything is decoded."""
    if not 1 <= metadata.num_rows <= MOST_ROWS:
        raise BadBatchError(f"{path}: {metadata.num_rows} rows, expected 1 to {MOST_ROWS}")
    groups = (metadata.row_group(n) for n in range(metadata.num_row_groups))
    n_bytes = sum(group.total_byte_size for group in groups)
    if n_bytes > MOST_BYTES:
        raise BadBatchError(f"{path}: {n_bytes} bytes unpacked, expected at most {MOST_BYTES}")


def check_columns(path: Path, table: pa.Table) -> None:
    """Check that no wanted value is missing, and that all text is UTF-8."""
    for name, column in zip(table.column_names, table.columns, strict=True):
        is_bad = pc.invert(_is_utf8(column)) if is_text(column.type) else pa.scalar(False)
        if (row := pc.index(is_bad, True).as_py()) >= 0:
            raise BadBatchError(f"{path}: column {name}, row {row}: not UTF-8, expected text")


def check_rows(path: Path, frame: pd.DataFrame) -> None:
    """Check every value, the batch the rows belong to, and that no pair is rated twice."""
    for column, (is_valid, expected) in _VALUES.items():
        _refuse(path, frame[[column]], ~is_valid(frame[column]), expected)
    batch = frame[["batch_id"]]
    _refuse(path, batch, batch["batch_id"] != path.stem, f"{path.stem}, as the file is named")
    _refuse(path, frame[PAIR], frame.duplicated(PAIR), "each pair once")


def is_text(kind: pa.DataType) -> bool:
    """Tell whether a column of this type holds text."""
    plain = kind.value_type if pt.is_dictionary(kind) else kind
    return bool(pt.is_string(plain) or pt.is_large_string(plain))
