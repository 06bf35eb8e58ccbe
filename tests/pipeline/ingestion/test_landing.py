import datetime
import os
from pathlib import Path

import pytest

from cinematch_dagster.pipeline.ingestion import landing
from cinematch_dagster.pipeline.ingestion.landing import (
    Arrival,
    RequestedFile,
    arrivals,
    fresh,
    readable,
)

FIRST_WEEK = datetime.date(2024, 1, 1)


def drop(folder: Path, *names: str) -> None:
    for name in names:
        (folder / f"{name}.parquet").write_bytes(name.encode())


def look(folder: Path) -> list[Arrival]:
    return arrivals(folder, FIRST_WEEK, weeks=12).found


def test_files_come_in_the_order_of_their_weeks(tmp_path: Path) -> None:
    drop(tmp_path, "batch_w10", "batch_w2", "batch_w9")
    assert [a.batch_id for a in look(tmp_path)] == ["batch_w2", "batch_w9", "batch_w10"]
    assert look(tmp_path)[0].week == datetime.date(2024, 1, 8)


@pytest.mark.parametrize("name", ["batch_w13", "batch_w0", "notes", "batch_w1 (copy)"])
def test_names_that_are_no_week_are_told_apart(tmp_path: Path, name: str) -> None:
    drop(tmp_path, "batch_w12", name)
    landed = arrivals(tmp_path, FIRST_WEEK, weeks=12)
    assert [a.batch_id for a in landed.found] == ["batch_w12"]
    assert landed.unknown == [f"{name}.parquet"]


def test_what_can_not_be_read_hides_no_other_week(tmp_path: Path) -> None:
    drop(tmp_path, "batch_w1", "batch_w6")
    (tmp_path / "batch_w2.parquet").mkdir()
    (tmp_path / "batch_w3.parquet").symlink_to("gone.parquet")
    os.mkfifo(tmp_path / "batch_w4.parquet")
    (tmp_path / "batch_w5.parquet" / "_temporary").mkdir(parents=True)
    landed = arrivals(tmp_path, FIRST_WEEK, weeks=12)
    assert [a.batch_id for a in landed.found] == ["batch_w1", "batch_w6"]
    faults = ["a folder without part", "No such file", "neither a file nor", "still being written"]
    assert list(landed.unreadable) == [f"batch_w{n}.parquet" for n in (2, 3, 4, 5)]
    for why, fault in zip(landed.unreadable.values(), faults, strict=True):
        assert fault in why


def test_a_file_whose_bytes_can_not_be_read_was_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(tmp_path, "batch_w1", "batch_w2")

    def read(path: Path) -> str:
        if path.stem == "batch_w1":
            raise PermissionError(f"{path}: permission denied")
        return "digest"

    monkeypatch.setattr(landing, "file_sha256", read)
    landed = arrivals(tmp_path, FIRST_WEEK, weeks=12)
    assert [a.batch_id for a in readable(landed, fresh(landed.found, {}))] == ["batch_w2"]
    assert [a.batch_id for a in landed.found] == ["batch_w2"]
    assert list(landed.unreadable) == ["batch_w1.parquet"]


def test_a_folder_of_parts_is_an_arrival_that_changes_with_them(tmp_path: Path) -> None:
    folder = tmp_path / "batch_w2.parquet"
    folder.mkdir()
    (folder / "part-0.parquet").write_bytes(b"0")
    (folder / "_SUCCESS").touch()
    (first,) = look(tmp_path)
    before = first.sha256
    assert look(tmp_path) == [first]
    (folder / "part-1.parquet").write_bytes(b"1")
    (second,) = look(tmp_path)
    assert second.stamp != first.stamp
    assert second.sha256 != before


def test_a_file_that_is_restored_with_its_old_time_has_another_stamp(tmp_path: Path) -> None:
    drop(tmp_path, "batch_w1")
    path = tmp_path / "batch_w1.parquet"
    (before,), times = look(tmp_path), (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    path.write_bytes(b"other!!!")
    path.write_bytes(b"batch_w1")
    os.utime(path, ns=times)
    (after,) = look(tmp_path)
    assert path.stat().st_mtime_ns == times[1]
    assert after.stamp != before.stamp


def test_half_written_files_are_not_seen(tmp_path: Path) -> None:
    (tmp_path / "batch_w1.parquet.part").touch()
    assert look(tmp_path) == []


def test_only_new_and_changed_files_are_fresh(tmp_path: Path) -> None:
    drop(tmp_path, "batch_w1", "batch_w2")
    seen = {a.batch_id: RequestedFile(a.stamp, a.sha256, at=0.0) for a in look(tmp_path)}
    assert fresh(look(tmp_path), seen) == []
    os.utime(tmp_path / "batch_w2.parquet", ns=(1, 1))
    drop(tmp_path, "batch_w3")
    assert [a.batch_id for a in fresh(look(tmp_path), seen)] == ["batch_w2", "batch_w3"]


def test_the_digest_is_of_the_bytes(tmp_path: Path) -> None:
    drop(tmp_path, "batch_w1")
    # printf batch_w1 | sha256sum
    assert look(tmp_path)[0].sha256 == (
        "ad40ca75047df703557f41dca99165b621174083f125534bc7a4dac3b253cbcc"
    )
