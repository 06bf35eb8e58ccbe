"""Weekly batches: cut, written and read as Parquet files of their own."""

from __future__ import annotations

import itertools
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cinematch_dagster.batches.errors import BadBatchError
from cinematch_dagster.batches.frame import COLUMNS, as_ratings, in_order, renumbered
from cinematch_dagster.batches.validation import (
    check_columns,
    check_location,
    check_rows,
    check_size,
    check_types,
    is_text,
)
from serving.base.files import replacing

INJECTED_KEY = b"cinematch.injected"
SCHEMA = pa.schema(
    {
        "userId": pa.int32(),
        "movieId": pa.int32(),
        "rating": pa.float32(),
        "timestamp": pa.int64(),
        "batch_id": pa.string(),
    }
)


def make_batches(frame: pd.DataFrame, n: int) -> list[pd.DataFrame]:
    """Cut ratings into `n` batches in time order; batch i ends before row floor((i + 1) * len / n).

    Raises:
        ValueError: there are fewer ratings than batches.
    """
    if len(frame) < n:
        raise ValueError(f"{len(frame)} ratings can't fill {n} batches: expected at least {n}")
    ordered = in_order(frame)
    ends = [i * len(ordered) // n for i in range(n + 1)]
    return [renumbered(ordered[a:b]) for a, b in itertools.pairwise(ends)]


def write_batch(folder: Path, batch_id: str, frame: pd.DataFrame, injected: str | None) -> Path:
    """Write `<folder>/<batch_id>.parquet` at once: a reader sees the old file, the new or none.

    The same ratings give the same bytes. The label of injected drift stands in the schema's
    metadata under `cinematch.injected`.
    """
    metadata = None if injected is None else {INJECTED_KEY: injected.encode()}
    columns = [frame[column].to_numpy() for column in COLUMNS]
    table = pa.table([*columns, pa.repeat(batch_id, len(frame))], schema=SCHEMA)
    path = folder / f"{batch_id}.parquet"
    with replacing(path) as partial:
        pq.write_table(
            table.replace_schema_metadata(metadata),
            partial,
            compression="zstd",
            write_page_checksum=True,
        )
    return path


def read_batch(path: Path) -> tuple[pd.DataFrame, str | None]:
    """Read and check a batch file; its stem is the batch id that its rows must carry.

    Integers may be of any width and `rating` any floating type. Further columns are ignored, but
    their text must be UTF-8. Nothing is decoded before the file's own account of its size was
    found acceptable, and text stays dictionary-encoded, so memory is bounded by `MOST_ROWS` and
    `MOST_BYTES`.

    Returns:
        The ratings frame, and the label of injected drift or None.

    Raises:
        BadBatchError: this is no Parquet file, or a value in it can't be used.
        OSError, MemoryError: the system can't read it now; FileNotFoundError: there is none.
    """
    check_location(path)
    table = _read(path)
    check_columns(path, table, SCHEMA)
    frame = table.select(SCHEMA.names).to_pandas()
    check_rows(path, frame)
    injected = (table.schema.metadata or {}).get(INJECTED_KEY)
    label = None if injected is None else injected.decode(errors="replace")
    return as_ratings(frame), label


def _read(path: Path) -> pa.Table:
    """Read the wanted columns and other text."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            schema = file.schema_arrow
            check_types(path, schema, SCHEMA)
            check_size(path, file.metadata)
            texts = [field.name for field in schema if is_text(field.type)]
            wanted = {*SCHEMA.names, *texts}
        with pq.ParquetFile(path, page_checksum_verification=True, read_dictionary=texts) as file:
            return file.read([name for name in schema.names if name in wanted])
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the system's, of which no file is guilty; pyarrow's own have no number
        raise BadBatchError(f"{path}: not a readable Parquet file ({error})") from error
