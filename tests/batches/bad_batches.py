"""Batch files that must be refused: `python bad_batches.py FOLDER` writes them all.

Each lies in a folder of its own, since its name has to be that of a batch. `CASES` is what the
tests read: how to write the file, and what the message must say.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

BATCH = "batch_w1"
T0 = 1_100_000_000
ROWS = 5
GOOD: dict[str, Any] = {
    "userId": pa.array([1, 1, 2, 2, 3], pa.int32()),
    "movieId": pa.array([1, 2, 1, 3, 2], pa.int32()),
    "rating": pa.array([3.0, 0.5, 5.0, 4.5, 2.0], pa.float32()),
    "timestamp": pa.array([T0 + n for n in range(ROWS)], pa.int64()),
    "batch_id": [BATCH] * ROWS,
}


@dataclass(frozen=True)
class Case:
    """A bad file: `write` makes it at a path, `fault` follows the path in the message."""

    write: Callable[[Path], object]
    fault: str


def with_columns(**columns: Any) -> Callable[[Path], object]:
    """Write the good batch with other columns; None leaves one out."""
    changed = {name: column for name, column in {**GOOD, **columns}.items() if column is not None}
    return lambda path: pq.write_table(pa.table(changed), path)


def with_value(column: str, row: int, value: Any, kind: pa.DataType) -> Callable[[Path], object]:
    """Write the good batch with one value changed."""
    values = pa.array(GOOD[column]).to_pylist()
    values[row] = value
    return with_columns(**{column: pa.array(values, kind)})


def write_good(path: Path) -> None:
    """Write the batch that all others are made of; it is fine."""
    pq.write_table(pa.table(GOOD), path)


def write_truncated(path: Path) -> None:
    write_good(path)
    path.write_bytes(path.read_bytes()[:-100])


def write_flipped(path: Path) -> None:
    """Change a timestamp by one bit, in a page that has a checksum."""
    pq.write_table(pa.table(GOOD), path, compression="none", write_page_checksum=True)
    content = bytearray(path.read_bytes())
    content[content.index((T0 + 2).to_bytes(8, "little"))] ^= 1
    path.write_bytes(content)


def write_repeated(path: Path) -> None:
    """Write 31 million rows in half a megabyte."""
    rows = 1_000_000
    zero = np.zeros(rows, np.int32)
    batch = pa.DictionaryArray.from_arrays(zero, [BATCH])
    table = pa.table(
        {
            "userId": zero,
            "movieId": zero,
            "rating": np.ones(rows, np.float32),
            "timestamp": np.full(rows, T0),
            "batch_id": batch,
        }
    )
    with pq.ParquetWriter(path, table.schema, compression="zstd") as writer:
        for _ in range(31):
            writer.write_table(table)


def write_long_text(path: Path) -> None:
    """Write one text of 20 million characters for 100,000 rows: 2 terabytes once unpacked."""
    rows = np.arange(100_000)
    batch = pa.DictionaryArray.from_arrays(np.zeros(len(rows), np.int32), ["x" * 20_000_000])
    table = pa.table(
        {
            "userId": rows.astype(np.int32),
            "movieId": rows.astype(np.int32),
            "rating": np.ones(len(rows), np.float32),
            "timestamp": T0 + rows,
            "batch_id": batch,
        }
    )
    pq.write_table(table, path, compression="zstd", dictionary_pagesize_limit=2**30)


def write_link_out(path: Path) -> None:
    """Link to a good file in the folder above."""
    target = path.parent.parent / "outside.parquet"
    write_good(target)
    path.symlink_to(target)


def write_folder(*names: str) -> Callable[[Path], object]:
    """Write a folder of empty files in the place of a file; those with a '/' lie in a folder."""

    def write_all(path: Path) -> None:
        path.mkdir()
        for name in names:
            (path / name).parent.mkdir(exist_ok=True)
            (path / name).touch()

    return write_all


BAD_TEXT = pa.array([b"Heat"] * 3 + [b"Am\xe9lie"] + [b"Heat"]).view(pa.string())
BAD_BATCH_IDS = pa.array([BATCH.encode()] * 4 + [b"batch_\xff"]).view(pa.string())
DAYS = pa.array([T0 * 1_000] * ROWS, pa.timestamp("ms"))
STARS = "a half star from 0.5 to 5.0"
TIME = "unix seconds from 1995 on and not in the future"
ID = "a whole number from 0 to 2147483647"

CASES = {
    "missing_column": Case(
        with_columns(rating=None), "column rating is there 0 times, expected once"
    ),
    "text_as_id": Case(
        with_columns(userId=["1", "1", "2", "2", "3"]),
        "column userId has type string, expected int32",
    ),
    "date_as_timestamp": Case(
        with_columns(timestamp=DAYS), "column timestamp has type timestamp[ms], expected int64"
    ),
    "list_as_rating": Case(
        with_columns(rating=[[3.0]] * ROWS),
        "column rating has type list<element: double>, expected float",
    ),
    "null_user": Case(
        with_value("userId", 3, None, pa.int32()), "column userId, row 3: null, expected a value"
    ),
    "null_rating": Case(
        with_value("rating", 0, None, pa.float32()), "column rating, row 0: null, expected a value"
    ),
    "null_batch_id": Case(
        with_value("batch_id", 4, None, pa.string()),
        "column batch_id, row 4: null, expected a value",
    ),
    "five_and_a_half_stars": Case(
        with_value("rating", 1, 5.5, pa.float32()), f"column rating, row 1: 5.5, expected {STARS}"
    ),
    "no_stars": Case(
        with_value("rating", 2, 0.0, pa.float32()), f"column rating, row 2: 0.0, expected {STARS}"
    ),
    "between_half_stars": Case(
        with_value("rating", 2, 3.25, pa.float64()),
        f"column rating, row 2: 3.25, expected {STARS}",
    ),
    "nan_rating": Case(
        with_value("rating", 4, float("nan"), pa.float32()),
        f"column rating, row 4: nan, expected {STARS}",
    ),
    "infinite_rating": Case(
        with_value("rating", 0, float("inf"), pa.float32()),
        f"column rating, row 0: inf, expected {STARS}",
    ),
    "negative_timestamp": Case(
        with_value("timestamp", 2, -1, pa.int64()),
        f"column timestamp, row 2: -1, expected {TIME}",
    ),
    "timestamp_in_the_far_future": Case(
        with_value("timestamp", 3, 32_503_680_000, pa.int64()),
        f"column timestamp, row 3: 32503680000, expected {TIME}",
    ),
    "timestamp_in_milliseconds": Case(
        with_value("timestamp", 0, T0 * 1_000, pa.int64()),
        f"column timestamp, row 0: {T0 * 1_000}, expected {TIME}",
    ),
    "duplicate_pair": Case(
        with_value("movieId", 1, 1, pa.int32()),
        "column userId, movieId, row 1: 1, 1, expected each pair once",
    ),
    "negative_user": Case(
        with_value("userId", 0, -7, pa.int32()), f"column userId, row 0: -7, expected {ID}"
    ),
    "movie_beyond_int32": Case(
        with_value("movieId", 2, 2**31, pa.int64()),
        f"column movieId, row 2: 2147483648, expected {ID}",
    ),
    "user_beyond_int64": Case(
        with_value("userId", 2, 2**64 - 1, pa.uint64()),
        f"column userId, row 2: 18446744073709551615, expected {ID}",
    ),
    "rating_and_movie_swapped": Case(
        with_columns(rating=GOOD["movieId"], movieId=GOOD["rating"]),
        "column movieId has type float, expected int32",
    ),
    "user_and_timestamp_swapped": Case(
        with_columns(userId=GOOD["timestamp"], timestamp=GOOD["userId"]),
        f"column timestamp, row 0: 1, expected {TIME}",
    ),
    "another_week": Case(
        with_columns(batch_id=["batch_w2"] * ROWS),
        "column batch_id, row 0: batch_w2, expected batch_w1, as the file is named",
    ),
    "two_weeks": Case(
        with_value("batch_id", 3, "batch_w2", pa.string()),
        "column batch_id, row 3: batch_w2, expected batch_w1, as the file is named",
    ),
    "title_not_utf8": Case(
        with_columns(title=BAD_TEXT), "column title, row 3: not UTF-8, expected text"
    ),
    "batch_id_not_utf8": Case(
        with_columns(batch_id=BAD_BATCH_IDS), "column batch_id, row 4: not UTF-8, expected text"
    ),
    "no_rows": Case(
        lambda path: pq.write_table(pa.table(GOOD)[:0], path), "0 rows, expected 1 to 30000000"
    ),
    "31_million_rows": Case(write_repeated, "31000000 rows, expected 1 to 30000000"),
    "text_of_2_terabytes": Case(
        write_long_text, f"column batch_id, row 0: {'x' * 60}…, expected batch_w1"
    ),
    "empty_file": Case(lambda path: path.write_bytes(b""), "not a readable Parquet file"),
    "truncated": Case(write_truncated, "not a readable Parquet file"),
    "flipped_bit": Case(write_flipped, "not a readable Parquet file"),
    "csv_named_parquet": Case(
        lambda path: path.write_text("userId,movieId,rating,timestamp,batch_id\n1,1,3.0,1,w\n"),
        "not a readable Parquet file",
    ),
    "empty_folder": Case(write_folder(), "a folder without part files (*.parquet)"),
    "folder_of_marks": Case(
        write_folder("_SUCCESS", ".part-0.parquet.crc"), "a folder without part files (*.parquet)"
    ),
    "folder_of_folders": Case(
        write_folder("_SUCCESS", "year=2024/part-0.parquet"),
        "holds year=2024, expected part files (*.parquet) alone",
    ),
    "folder_of_csv_parts": Case(
        write_folder("part-0.csv"), "holds part-0.csv, expected part files (*.parquet) alone"
    ),
    "folder_still_being_written": Case(
        write_folder("part-0.parquet", "_temporary/0"),
        "holds _temporary, it is still being written",
    ),
    "link_out_of_the_folder": Case(write_link_out, "a link to "),
}


def write(case: str, folder: Path) -> Path:
    """Write a bad file into a new folder below `folder` and return its path."""
    path = folder / case / f"{BATCH}.parquet"
    path.parent.mkdir(parents=True)
    CASES[case].write(path)
    return path


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    for name in CASES:
        write(name, parser.parse_args().folder)
