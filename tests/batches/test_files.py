from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from cinematch_dagster.batches import BadBatchError, read_batch, write_batch
from tests.movielens.strategies import T0, ratings, ratings_frames

FRAME = ratings((1, 1, 3.0, T0), (1, 2, 0.5, T0 + 1), (2, 1, 5.0, T0 + 2))


def put(folder: Path, **columns: Any) -> Path:
    """Write FRAME as batch_w1 with some of its columns replaced."""
    good = {c: FRAME[c].to_numpy() for c in FRAME} | {"batch_id": ["batch_w1"] * 3}
    path = folder / "batch_w1.parquet"
    pq.write_table(pa.table(good | columns), path)
    return path


@given(ratings_frames(min_size=1), st.none() | st.text())
def test_what_is_written_is_read(frame: pd.DataFrame, injected: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write_batch(Path(folder), "batch_w3", frame, injected)
        found, label = read_batch(path)
    assert_frame_equal(found, frame)
    assert label == injected


def test_the_file_has_five_columns_of_these_types(tmp_path: Path) -> None:
    path = write_batch(tmp_path / "buffer_batches", "batch_w3", FRAME, "shift +1.0")
    schema = pq.read_schema(path)
    assert path == tmp_path / "buffer_batches" / "batch_w3.parquet"
    assert {field.name: str(field.type) for field in schema} == {
        "userId": "int32",
        "movieId": "int32",
        "rating": "float",
        "timestamp": "int64",
        "batch_id": "string",
    }
    assert schema.metadata == {b"cinematch.injected": b"shift +1.0"}
    assert pd.read_parquet(path)["batch_id"].tolist() == ["batch_w3"] * 3


def test_the_same_ratings_give_the_same_bytes(tmp_path: Path) -> None:
    first = write_batch(tmp_path / "a", "batch_w1", FRAME, None).read_bytes()
    assert write_batch(tmp_path / "b", "batch_w1", FRAME, None).read_bytes() == first


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_batch(tmp_path, "batch_w1", FRAME, None)
    before = path.read_bytes()

    def fail(_table: pa.Table, where: Path, **_options: Any) -> None:
        where.write_bytes(b"half a file")
        raise OSError("disk full")

    monkeypatch.setattr(pq, "write_table", fail)
    with pytest.raises(OSError, match="disk full"):
        write_batch(tmp_path, "batch_w1", FRAME[:1], None)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_rows_come_in_order_whatever_the_order_in_the_file(tmp_path: Path) -> None:
    found, injected = read_batch(write_batch(tmp_path, "batch_w1", FRAME[::-1], None))
    assert_frame_equal(found, FRAME)
    assert injected is None


def test_other_widths_and_further_columns_are_read(tmp_path: Path) -> None:
    path = put(
        tmp_path,
        userId=pa.array([1, 1, 2], pa.int64()),
        movieId=pa.array([1, 2, 1], pa.int8()),
        rating=pa.array([3.0, 0.5, 5.0], pa.float64()),
        timestamp=pa.array(FRAME["timestamp"], pa.uint64()),
        batch_id=pa.array(["batch_w1"] * 3, pa.large_string()),
        device=["phone", None, "tv"],
    )
    assert_frame_equal(read_batch(path)[0], FRAME)


def test_a_batch_without_rows_is_refused(tmp_path: Path) -> None:
    path = write_batch(tmp_path, "batch_w1", FRAME[:0], None)
    with pytest.raises(BadBatchError, match=r"batch_w1\.parquet: 0 rows, expected 1 to"):
        read_batch(path)


@pytest.mark.parametrize(
    ("columns", "fault"),
    [
        ({"userId": [1, None, 2]}, "column userId, row 1: null, expected a value"),
        ({"rating": [3.0, 0.5, None]}, "column rating, row 2: null, expected a value"),
        ({"timestamp": [None, T0, T0]}, "column timestamp, row 0: null, expected a value"),
        ({"userId": ["1", "1", "2"]}, "column userId has type string, expected int32"),
        ({"movieId": [1.0, 2.0, 1.0]}, "column movieId has type double, expected int32"),
        ({"rating": [3, 1, 5]}, "column rating has type int64, expected float"),
        ({"batch_id": [1, 1, 1]}, "column batch_id has type int64, expected string"),
        ({"userId": [1, 1, -2]}, "column userId, row 2: -2, expected a whole number"),
        ({"movieId": [1, 2**31, 1]}, "column movieId, row 1: 2147483648, expected a whole number"),
        ({"rating": [3.0, 5.5, 5.0]}, "column rating, row 1: 5.5, expected a half star"),
        ({"rating": [0.0, 5.5, 5.0]}, "column rating, row 0: 0.0, expected a half star"),
        ({"rating": [3.0, 3.3, 5.0]}, "column rating, row 1: 3.3, expected a half star"),
        ({"rating": [3.0, 3.0, float("nan")]}, "column rating, row 2: nan, expected a half star"),
        ({"timestamp": [T0, -1, T0]}, "column timestamp, row 1: -1, expected unix seconds"),
        ({"timestamp": [T0, T0, T0 * 1000]}, "row 2: 1100000000000, expected unix seconds"),
        ({"batch_id": ["batch_w1", "batch_w2", "batch_w1"]}, "column batch_id, row 1: batch_w2"),
        ({"userId": [1, 1, 1], "movieId": [1, 2, 1]}, "column userId, movieId, row 2: 1, 1"),
    ],
)
def test_a_bad_value_is_refused_by_file_column_and_row(
    tmp_path: Path, columns: dict[str, Any], fault: str
) -> None:
    path = put(tmp_path, **columns)
    with pytest.raises(BadBatchError) as caught:
        read_batch(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert fault in str(caught.value)


@pytest.mark.parametrize("name", ["userId", "movieId", "rating", "timestamp"])
def test_a_missing_column_is_named(tmp_path: Path, name: str) -> None:
    path = put(tmp_path)
    pq.write_table(pq.read_table(path).drop_columns([name]), path)
    with pytest.raises(BadBatchError, match=f"column {name} is there 0 times, expected once"):
        read_batch(path)


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path)
    table = pq.read_table(path)
    pq.write_table(table.append_column("rating", table["rating"]), path)
    with pytest.raises(BadBatchError, match="column rating is there 2 times"):
        read_batch(path)


def test_a_renamed_file_is_refused(tmp_path: Path) -> None:
    path = write_batch(tmp_path, "batch_w1", FRAME, None).rename(tmp_path / "batch_w2.parquet")
    with pytest.raises(BadBatchError, match="row 0: batch_w1, expected batch_w2, as the file is"):
        read_batch(path)


@pytest.mark.parametrize("content", [b"", b"userId,movieId\n1,2\n", b"PAR1" + bytes(50) + b"PAR1"])
def test_a_file_that_is_not_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "batch_w1.parquet"
    path.write_bytes(content)
    with pytest.raises(BadBatchError, match=r"batch_w1\.parquet: not a readable Parquet file"):
        read_batch(path)


def test_text_that_is_not_unicode_is_refused(tmp_path: Path) -> None:
    broken = pa.array([b"batch_w1", b"batch_w1", b"batch_\xff"]).view(pa.string())
    with pytest.raises(BadBatchError, match=r"batch_w1\.parquet: column batch_id, row 2: not UTF"):
        read_batch(put(tmp_path, batch_id=broken))


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "batch_w1.parquet").mkdir()
    with pytest.raises(BadBatchError, match=r"batch_w1\.parquet"):
        read_batch(tmp_path / "batch_w1.parquet")


def test_no_file_is_not_a_bad_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"batch_w9\.parquet"):
        read_batch(tmp_path / "batch_w9.parquet")


def test_a_flipped_bit_never_makes_another_rating(tmp_path: Path) -> None:
    path = write_batch(tmp_path, "batch_w1", FRAME, None)
    content = path.read_bytes()
    column = pq.read_metadata(path).row_group(0).column(2)
    start = column.dictionary_page_offset
    for position in range(start, start + column.total_compressed_size):
        damaged = bytearray(content)
        damaged[position] ^= 1
        path.write_bytes(damaged)
        try:
            found, _ = read_batch(path)
        except BadBatchError:
            continue
        assert_frame_equal(found, FRAME)


@given(st.data())
def test_a_damaged_file_is_refused_or_read_right(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write_batch(Path(folder), "batch_w1", FRAME, None)
        content = bytearray(path.read_bytes())
        if data.draw(st.booleans(), label="truncated"):
            del content[data.draw(st.integers(0, len(content) - 1)) :]
        else:
            content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
        path.write_bytes(content)
        try:
            found, _ = read_batch(path)
        except BadBatchError:
            return
    assert_frame_equal(found, FRAME)
