"""Binary COPY to and from numpy arrays: whole columns are encoded at once, never row by row.

A row of COPY's binary format is its number of fields (int16), then for each field its length in
bytes (int32) and its value, all big-endian. With fields of fixed width that is a numpy record.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import psycopg
from psycopg import sql
from psycopg.pq.abc import PGconn

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_ROWS_AT_ONCE = 1 << 17

#: The columns of a ratings frame, in their order.
RATING_COLUMNS: Mapping[str, np.dtype[Any]] = {
    "userId": np.dtype(np.int32),
    "movieId": np.dtype(np.int32),
    "rating": np.dtype(np.float32),
    "timestamp": np.dtype(np.int64),
}


def copy_in(
    connection: psycopg.Connection,
    table: str,
    columns: Mapping[str, np.ndarray],
    constants: Mapping[str, str] | None = None,
    *,
    frozen: bool = False,
) -> int:
    """Append rows to a table; return how many.

    Args:
        connection: used within its current transaction.
        table: name of the table; columns that are not given get their default.
        columns: arrays of one length, int32, int64, float32 or bool, by the column's name; the
            column's type must have the same width.
        constants: non-empty texts that are the same in every row, by the column's name.
        frozen: spare the first reader and VACUUM a second writing of every page; the table must
            have been truncated in the same transaction.
    """
    texts = {name: np.bytes_(text.encode()) for name, text in (constants or {}).items()}
    names = [*columns, *texts]
    dtype = _record([*(a.dtype for a in columns.values()), *(t.dtype for t in texts.values())])
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary, FREEZE {})").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, names)), sql.Literal(frozen)
    )
    rows = len(next(iter(columns.values())))
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            copy.write(_HEADER)
            for start in range(0, rows, _ROWS_AT_ONCE):
                part = slice(start, start + _ROWS_AT_ONCE)
                values = [*(a[part] for a in columns.values()), *texts.values()]
                copy.write(_encode(values, dtype, min(_ROWS_AT_ONCE, rows - start)))
            copy.write(_TRAILER)
        return cursor.rowcount


def copy_out(
    connection: psycopg.Connection, select: bytes, parameters: Mapping[str, Any] | None = None
) -> pd.DataFrame:
    """Return the ratings frame that a query selects (the four columns, without nulls)."""
    dtype = _record(list(RATING_COLUMNS.values()))
    statement = b"COPY (" + select.rstrip().rstrip(b";") + b") TO STDOUT (FORMAT binary)"
    with connection.cursor() as cursor, cursor.copy(statement, parameters) as copy:
        blocks = [_decode(block, dtype) for block in _blocks(copy, connection.pgconn, dtype)]
    columns = zip(*blocks, strict=True)
    return pd.DataFrame(dict(zip(RATING_COLUMNS, map(np.concatenate, columns), strict=True)))


def _blocks(copy: psycopg.Copy, server: PGconn, dtype: np.dtype[Any]) -> Iterator[bytearray]:
    """Yield the rows that are copied out, many at a time and without header and trailer.

    What has arrived is taken from libpq as it is: psycopg would wait for every single row, which
    takes ten times as long. Only where nothing has arrived yet psycopg waits.
    """
    width, full = dtype.itemsize, dtype.itemsize * _ROWS_AT_ONCE
    block = bytearray(copy.read()[len(_HEADER) :])
    while len(block) % width == 0:  # until the trailer
        if len(block) == full:
            yield block
            block = bytearray()
        size, row = server.get_copy_data(1)
        if size < 0:
            raise _failure(server)
        block += row if size else copy.read()
    copy.read()  # the end of the statement
    yield block[: -len(_TRAILER)]


def _failure(server: PGconn) -> psycopg.Error:
    """Return why the server broke off; the connection is then ready for a rollback."""
    result = server.get_result()
    while server.get_result():
        pass
    if result is None:
        return psycopg.OperationalError(server.get_error_message())
    return psycopg.errors.error_from_result(result)


def _decode(block: bytearray, dtype: np.dtype[Any]) -> list[np.ndarray]:
    records = np.frombuffer(block, dtype)
    return [records[f"value{i}"].astype(t) for i, t in enumerate(RATING_COLUMNS.values())]


def rating_arrays(ratings: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the four columns of a ratings frame as arrays of the types that they must have."""
    return {
        name: ratings[name].to_numpy().astype(dtype, casting="same_kind", copy=False)
        for name, dtype in RATING_COLUMNS.items()
    }


def _record(types: Sequence[np.dtype[Any]]) -> np.dtype[Any]:
    fields: list[tuple[str, np.dtype[Any]]] = [("fields", np.dtype(">i2"))]
    for i, dtype in enumerate(types):
        fields += [(f"length{i}", np.dtype(">i4")), (f"value{i}", dtype.newbyteorder(">"))]
    return np.dtype(fields)


def _encode(values: Sequence[Any], dtype: np.dtype[Any], rows: int) -> bytes:
    records = np.empty(rows, dtype)
    records["fields"] = len(values)
    for i, value in enumerate(values):
        records[f"length{i}"] = value.dtype.itemsize
        records[f"value{i}"] = value
    return records.tobytes()
