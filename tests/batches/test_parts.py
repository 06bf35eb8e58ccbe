"""Batches as other tools write them: folders of parts, indexes, and text stored in other ways."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

from cinematch_dagster.batches import BadBatchError, parquet, read_batch
from cinematch_dagster.pipeline.preparation.files import file_sha256
from tests.batches.bad_batches import BATCH, GOOD
from tests.movielens.strategies import T0, ratings

FRAME = ratings((1, 1, 3.0, T0), (1, 2, 0.5, T0 + 1), (2, 1, 5.0, T0 + 2), (3, 1, 2.0, T0 + 3))
ROWS = FRAME.assign(batch_id=BATCH)
DELTA = {"use_dictionary": False, "column_encoding": {"batch_id": "DELTA_BYTE_ARRAY"}}


def spark(folder: Path, frame: pd.DataFrame = ROWS) -> Path:
    """Write a folder as Spark does: parts, some of them without rows, checksums and a mark."""
    path = folder / f"{BATCH}.parquet"
    path.mkdir()
    for n, part in enumerate((frame[2:], frame[:0], frame[:2])):
        name = f"part-0000{n}-0e6bcb16-c000.snappy.parquet"
        part.to_parquet(path / name, index=False)
        (path / f".{name}.crc").write_bytes(b"crc")
    (path / "_SUCCESS").touch()
    (path / "._SUCCESS.crc").touch()
    return path


def test_a_folder_that_spark_wrote_is_one_batch(tmp_path: Path) -> None:
    found, injected = read_batch(spark(tmp_path))
    assert_frame_equal(found, FRAME)
    assert injected is None


def test_a_folder_that_dask_wrote_is_one_batch(tmp_path: Path) -> None:
    path = tmp_path / f"{BATCH}.parquet"
    path.mkdir()
    wide = FRAME.astype({"userId": "int64", "rating": "float64"})  # parts may differ in width
    for n, part in enumerate((wide[:1], FRAME[1:])):
        part.set_index("userId").to_parquet(path / f"part.{n}.parquet")
    pq.write_metadata(pq.read_schema(path / "part.0.parquet"), path / "_common_metadata")
    assert_frame_equal(read_batch(path)[0], FRAME)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"userId": [1, -1]}, "part-9.parquet: column userId, row 1: -1, expected a whole number"),
        ({"batch_id": ["batch_w2"] * 2}, "part-9.parquet: column batch_id, row 0: batch_w2, exp"),
        ({"movieId": [1, 1]}, f"{BATCH}.parquet: column userId, movieId, row 5: 9, 1, expected ea"),
    ],
)
def test_a_bad_part_refuses_the_batch(tmp_path: Path, change: dict[str, Any], fault: str) -> None:
    path = spark(tmp_path)
    good = {"userId": [9, 9], "movieId": [1, 2], "rating": [3.0, 3.0], "timestamp": [T0, T0]}
    pd.DataFrame(good | change).to_parquet(path / "part-9.parquet", index=False)
    with pytest.raises(BadBatchError) as caught:
        read_batch(path)
    assert fault in str(caught.value)


def test_a_part_that_is_no_parquet_or_leads_elsewhere_refuses_the_batch(tmp_path: Path) -> None:
    path = spark(tmp_path)
    (path / "part-9.parquet").write_bytes(b"PAR1")
    with pytest.raises(BadBatchError, match=r"part-9\.parquet: not a readable Parquet file"):
        read_batch(path)
    (path / "part-9.parquet").unlink()
    outside = tmp_path / "outside.parquet"
    ROWS.to_parquet(outside)
    (path / "part-9.parquet").symlink_to(outside)
    with pytest.raises(BadBatchError, match=r"part-9\.parquet: a link to .*outside"):
        read_batch(path)


def test_something_that_is_neither_file_nor_folder_is_refused_without_waiting(
    tmp_path: Path,
) -> None:
    path = tmp_path / f"{BATCH}.parquet"
    os.mkfifo(path)
    with pytest.raises(BadBatchError, match="neither a file nor a folder of part files"):
        read_batch(path)


def test_the_digest_of_a_folder_is_of_its_parts(tmp_path: Path) -> None:
    path = spark(tmp_path)
    before = file_sha256(path)
    (path / "_SUCCESS").write_text("another mark")
    assert file_sha256(path) == before
    FRAME[:1].to_parquet(path / "part-9.parquet")
    assert file_sha256(path) != before


@pytest.mark.parametrize("index", [*GOOD, ["userId", "movieId"], list(GOOD)])
def test_columns_may_be_the_index_of_the_frame(tmp_path: Path, index: str | list[str]) -> None:
    path = tmp_path / f"{BATCH}.parquet"
    ROWS.set_index(index).to_parquet(path)
    assert_frame_equal(read_batch(path)[0], FRAME)


TEXT = [pa.string(), pa.large_string(), pa.string_view()]
CATEGORIES = pa.dictionary(pa.int8(), pa.string())  # pyarrow reads none that are delta-encoded
STORED = ["dictionary", "PLAIN", "DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"]


@pytest.mark.parametrize(
    ("kind", "stored"),
    [*itertools.product(TEXT, STORED), *((CATEGORIES, stored) for stored in STORED[:2])],
)
@pytest.mark.parametrize("column", ["batch_id", "title"])
def test_text_is_read_however_it_is_stored(
    tmp_path: Path, kind: pa.DataType, column: str, stored: str
) -> None:
    table = pa.Table.from_pandas(ROWS.assign(title=["Heat", "Heat", "Up", "Zuhälter"]))
    place = table.column_names.index(column)
    table = table.set_column(place, column, table[column].cast(kind))
    options: dict[str, Any] = {"use_dictionary": False, "column_encoding": {column: stored}}
    path = tmp_path / f"{BATCH}.parquet"
    pq.write_table(table, path, **({} if stored == "dictionary" else options))
    assert_frame_equal(read_batch(path)[0], FRAME)


def test_delta_encoded_text_is_decoded_a_few_rows_at_a_time_and_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "MOST_DECODED", 1)
    path = tmp_path / f"{BATCH}.parquet"
    pq.write_table(pa.Table.from_pandas(ROWS), path, row_group_size=3, **DELTA)
    assert_frame_equal(read_batch(path)[0], FRAME)
    names = [BATCH, BATCH, BATCH, "batch_w2"]
    pq.write_table(pa.Table.from_pandas(ROWS.assign(batch_id=names)), path, **DELTA)
    with pytest.raises(BadBatchError, match="column batch_id, row 3: batch_w2, expected batch_w1"):
        read_batch(path)
    broken = pa.array([BATCH.encode()] * 3 + [b"batch_\xff"]).view(pa.string())
    table = pa.Table.from_pandas(FRAME).append_column("batch_id", broken)
    pq.write_table(table, path, **DELTA)
    with pytest.raises(BadBatchError, match="column batch_id, row 3: not UTF-8, expected text"):
        read_batch(path)


def test_the_batch_is_the_file_s_name_where_no_column_says_so(tmp_path: Path) -> None:
    path = tmp_path / f"{BATCH}.parquet"
    FRAME.to_parquet(path, index=False)
    assert_frame_equal(read_batch(path)[0], FRAME)


def test_numbers_may_be_categories(tmp_path: Path) -> None:
    path = tmp_path / f"{BATCH}.parquet"
    ROWS.astype({"userId": "category", "rating": "category"}).to_parquet(path)
    assert_frame_equal(read_batch(path)[0], FRAME)


@pytest.mark.parametrize("column", ["device", "__index_level_0__", "Title", "nested"])
def test_further_columns_are_ignored(tmp_path: Path, column: str) -> None:
    table = pa.Table.from_pandas(FRAME, preserve_index=False)
    values = [{"a": ["x"]}] * 4 if column == "nested" else [b"\xff", b"", None, b"x"]
    pq.write_table(table.append_column(column, pa.array(values)), tmp_path / f"{BATCH}.parquet")
    assert_frame_equal(read_batch(tmp_path / f"{BATCH}.parquet")[0], FRAME)
