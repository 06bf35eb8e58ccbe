"""The wanted columns of one Parquet file, read in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

from cinematch_dagster.batches.errors import BadBatchError
from cinematch_dagster.batches.validation import is_text

MOST_DECODED: Final = 1 << 28  # bytes of delta-encoded text that are decoded at a time
MOST_AT_ONCE: Final = 1 << 16  # rows of it
_TEXT: Final = pa.dictionary(pa.int32(), pa.string())


def parquet_head(path: Path) -> tuple[pa.Schema, Any]:
    """Return the columns of a file, and what it says of its size; nothing is decoded.

    Raises:
        BadBatchError: it is no Parquet file.
        OSError, MemoryError: the system can't read it now.
    """
    with _refusing(path), pq.ParquetFile(path) as file:
        return file.schema_arrow, file.metadata


def read_columns(path: Path, expected: pa.Schema) -> pa.Table:
    """Return the expected columns, and other text; text is dictionary-encoded.

    Other text that only takes its memory once it is decoded (delta encodings) is left out.

    Raises:
        BadBatchError: the file is damaged.
        OSError, MemoryError: the system can't read it now.
    """
    with _refusing(path):
        with pq.ParquetFile(path) as file:
            schema, delta = file.schema_arrow, _delta_encoded(file.metadata)
        texts = [field.name for field in schema if is_text(field.type)]
        bounded = [name for name in texts if name not in delta]
        plain = {*expected.names}.difference(texts).union(bounded)
        names = [name for name in schema.names if name in plain]
        with pq.ParquetFile(path, page_checksum_verification=True, read_dictionary=bounded) as file:
            table = file.read(names)
        for name in {*texts} & delta & {*expected.names}:
            table = table.append_column(name, _decoded(path, name))
        return table


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """Turn pyarrow's errors into a refusal of the file."""
    try:
        yield
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the system's, of which no file is guilty; pyarrow's own have no number
        raise BadBatchError(f"{path}: not a readable Parquet file ({error})") from error


def _delta_encoded(metadata: Any) -> set[str]:
    """Return the columns with text of which each value may repeat a part of the one before."""
    groups = [metadata.row_group(n) for n in range(metadata.num_row_groups)]
    columns = [group.column(n) for group in groups for n in range(group.num_columns)]
    return {
        column.path_in_schema
        for column in columns
        if any("BYTE_ARRAY" in encoding for encoding in column.encodings)
    }


def _decoded(path: Path, name: str) -> pa.ChunkedArray:
    """Decode a column of delta-encoded text, so few rows at a time that they fit."""
    chunks = []
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        for number in range(file.num_row_groups):
            group = file.metadata.row_group(number)
            sizes = (group.column(n) for n in range(group.num_columns))
            size = max(c.total_uncompressed_size for c in sizes if c.path_in_schema == name)
            rows = min(MOST_AT_ONCE, max(1, MOST_DECODED // max(1, size)))
            for batch in file.iter_batches(rows, [number], [name]):
                text = batch.column(0).cast(pa.large_binary()).dictionary_encode()
                chunks.append(_as_text(text))
    return pa.chunked_array(chunks, _TEXT)


def _as_text(encoded: pa.DictionaryArray) -> pa.DictionaryArray:
    """Call bytes text; whether they are is checked later."""
    values = encoded.dictionary.cast(pa.binary()).view(pa.string())
    return pa.DictionaryArray.from_arrays(encoded.indices, values)


def plain_numbers(table: pa.Table) -> pa.Table:
    """Return the table with numbers instead of categories of numbers."""
    for n, field in enumerate(table.schema):
        if pt.is_dictionary(field.type) and not is_text(field.type):
            table = table.set_column(n, field.name, table[field.name].cast(field.type.value_type))
    return table
