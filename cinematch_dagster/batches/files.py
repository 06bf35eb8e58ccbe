"""Weekly batches: cut, written and read as Parquet files of their own."""

from __future__ import annotations

import itertools
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cinematch_dagster.batches.frame import COLUMNS, as_ratings, in_order, renumbered
from cinematch_dagster.batches.parquet import parquet_head, plain_numbers, read_columns
from cinematch_dagster.batches.parts import part_files
from cinematch_dagster.batches.validation import (
    check_columns,
    check_location,
    check_pairs,
    check_rows,
    check_size,
    check_types,
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
    """Read and check a batch: a file, or a folder of part files as Spark and Dask write them.

    Its stem is the batch id; rows that name one must name this one. Columns may be the index of
    the frame that was written. Integers may be of any width and `rating` any floating type, text
    may be stored in any way. Further columns are ignored, but their text must be UTF-8. Nothing is
    decoded before the file's own account of its size was found acceptable, and text stays
    dictionary-encoded, so memory is bounded by `MOST_ROWS` and `MOST_BYTES`.

    Returns:
        The ratings frame, and the label of injected drift or None.

    Raises:
        BadBatchError: this is no Parquet file, or a value in it can't be used.
        OSError, MemoryError: the system can't read it now; FileNotFoundError: there is none.
    """
    check_location(path)
    parts = part_files(path)
    for part in parts:
        check_location(part)
    heads = [(part, *parquet_head(part)) for part in parts]
    if len(parts) > 1:  # a part without rows may have any types
        heads = [head for head in heads if head[2].num_rows]
    for part, schema, _ in heads:
        check_types(part, schema, SCHEMA, optional={"batch_id"})
    check_size(path, [metadata for _, _, metadata in heads])
    frames, labels = zip(*(_read_part(part, path.stem) for part, _, _ in heads), strict=True)
    frame = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    check_pairs(path, frame)
    return as_ratings(frame), next((label for label in labels if label is not None), None)


def _read_part(path: Path, batch_id: str) -> tuple[pd.DataFrame, str | None]:
    table = read_columns(path, SCHEMA)
    check_columns(path, table, SCHEMA)
    known = [name for name in SCHEMA.names if name in table.column_names]
    frame = plain_numbers(table.select(known)).to_pandas(ignore_metadata=True)
    check_rows(path, frame, batch_id)
    injected = (table.schema.metadata or {}).get(INJECTED_KEY)
    return frame[COLUMNS], None if injected is None else injected.decode(errors="replace")
