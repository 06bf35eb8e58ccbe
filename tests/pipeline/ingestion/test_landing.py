import datetime
import os
from pathlib import Path

import pytest

from cinematch_dagster.pipeline.ingestion.landing import Arrival, RequestedFile, arrivals, fresh

FIRST_WEEK = datetime.date(2024, 1, 1)


def drop(folder: Path, *names: str) -> None:
    for name in names:
        (folder / f"{name}.parquet").write_bytes(name.encode())


def look(folder: Path) -> list[Arrival]:
    return arrivals(folder, FIRST_WEEK, weeks=12)[0]


def test_files_come_in_the_order_of_their_weeks(tmp_path: Path) -> None:
    drop(tmp_path, "batch_w10", "batch_w2", "batch_w9")
    assert [a.batch_id for a in look(tmp_path)] == ["batch_w2", "batch_w9", "batch_w10"]
    assert look(tmp_path)[0].week == datetime.date(2024, 1, 8)


@pytest.mark.parametrize("name", ["batch_w13", "batch_w0", "notes", "batch_w1 (copy)"])
def test_names_that_are_no_week_are_told_apart(tmp_path: Path, name: str) -> None:
    drop(tmp_path, "batch_w12", name)
    found, strangers = arrivals(tmp_path, FIRST_WEEK, weeks=12)
    assert [a.batch_id for a in found] == ["batch_w12"]
    assert strangers == [f"{name}.parquet"]


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
