"""Checks of a batch file, from its columns down to its rows; the first fault is reported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.types as pt

from cinematch_dagster.movielens.errors import BadBatchError
from cinematch_dagster.movielens.ratings import PAIR, is_id, is_on_scale, is_plausible_time

_ID: Final = (is_id, "a whole number from 0 to 2147483647")
_VALUES: Final[dict[str, tuple[Callable[[pd.Series], pd.Series], str]]] = {
    "userId": _ID,
    "movieId": _ID,
    "rating": (is_on_scale, "a half star from 0.5 to 5.0"),
    "timestamp": (is_plausible_time, "unix seconds from 1995 on and not in the future"),
}


def check_columns(path: Path, table: pa.Table, expected: pa.Schema) -> None:
    """Check that each expected column is there once, without nulls and of its kind of type."""
    for field in expected:
        found = table.schema.get_all_field_indices(field.name)
        if len(found) != 1:
            raise BadBatchError(
                f"{path}: column {field.name} is there {len(found)} times, expected once"
            )
        column = table.column(found[0])
        if column.null_count:
            row = column.is_null().to_pylist().index(True)
            raise BadBatchError(f"{path}: column {field.name}, row {row}: null, expected a value")
        if not _same_kind(column.type, field.type):
            raise BadBatchError(
                f"{path}: column {field.name} has type {column.type}, expected {field.type}"
            )


def check_rows(path: Path, frame: pd.DataFrame) -> None:
    """Check every value, the batch the rows belong to, and that no pair is rated twice."""
    for column, (is_valid, expected) in _VALUES.items():
        _refuse(path, frame[[column]], ~is_valid(frame[column]), expected)
    batch = frame[["batch_id"]]
    _refuse(path, batch, batch["batch_id"] != path.stem, f"{path.stem}, as the file is named")
    _refuse(path, frame[PAIR], frame.duplicated(PAIR), "each pair once")


def _refuse(path: Path, found: pd.DataFrame, bad: pd.Series, expected: str) -> None:
    """Raise for the first bad row, if there is one."""
    if not bad.any():
        return
    row = int(bad.to_numpy().argmax())
    columns, values = (", ".join(map(str, part)) for part in (found, found.to_numpy()[row]))
    raise BadBatchError(f"{path}: column {columns}, row {row}: {values}, expected {expected}")


def _same_kind(found: pa.DataType, expected: pa.DataType) -> bool:
    kinds = (pt.is_integer, pt.is_floating, lambda t: pt.is_string(t) or pt.is_large_string(t))
    return any(is_kind(found) and is_kind(expected) for is_kind in kinds)
