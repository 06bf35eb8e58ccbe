from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from cinematch_dagster.movielens.errors import DownloadError
from cinematch_dagster.movielens.sources.download import download
from tests.movielens.sources.archive_server import ArchiveServer

MD5 = hashlib.md5(ArchiveServer.content).hexdigest()


def quiet(_done: int, _total: int | None) -> None:
    pass


def test_the_file_arrives_and_progress_ends_at_its_size(
    archive_server: ArchiveServer, tmp_path: Path
) -> None:
    told: list[tuple[int, int | None]] = []
    path = tmp_path / "new" / "data.zip"
    download(archive_server.url, path, MD5, lambda done, total: told.append((done, total)))
    size = len(archive_server.content)
    assert path.read_bytes() == archive_server.content
    assert told == sorted(told)
    assert told[-1] == (size, size)
    assert list(path.parent.iterdir()) == [path]


def test_a_cut_connection_is_carried_on_where_it_was(
    archive_server: ArchiveServer, tmp_path: Path
) -> None:
    archive_server.cuts = 2
    path = tmp_path / "data.zip"
    download(archive_server.url, path, MD5, quiet)
    assert path.read_bytes() == archive_server.content
    size = len(archive_server.content)
    assert archive_server.ranges == [None, f"bytes={size // 2}-", f"bytes={size // 4 * 3}-"]


def test_what_an_earlier_call_got_is_not_fetched_again(
    archive_server: ArchiveServer, tmp_path: Path
) -> None:
    (tmp_path / "data.zip.part").write_bytes(archive_server.content[:1_000_000])
    told: list[tuple[int, int | None]] = []
    download(
        archive_server.url,
        tmp_path / "data.zip",
        MD5,
        lambda done, total: told.append((done, total)),
    )
    assert archive_server.ranges == ["bytes=1000000-"]
    assert told[0][0] > 1_000_000
    assert told[-1] == (len(archive_server.content),) * 2


def test_a_server_without_ranges_sends_all_of_it_again(
    archive_server: ArchiveServer, tmp_path: Path
) -> None:
    archive_server.with_range = False
    (tmp_path / "data.zip.part").write_bytes(b"x" * 5_000_000)
    download(archive_server.url, tmp_path / "data.zip", MD5, quiet)
    assert (tmp_path / "data.zip").read_bytes() == archive_server.content


def test_a_part_that_is_whole_already_is_only_checked(
    archive_server: ArchiveServer, tmp_path: Path
) -> None:
    (tmp_path / "data.zip.part").write_bytes(archive_server.content)
    download(archive_server.url, tmp_path / "data.zip", MD5, quiet)
    assert (tmp_path / "data.zip").read_bytes() == archive_server.content


def test_another_checksum_leaves_nothing_behind(
    archive_server: ArchiveServer, tmp_path: Path
) -> None:
    with pytest.raises(DownloadError, match=f"came with the MD5 checksum {MD5}, expected 0000"):
        download(archive_server.url, tmp_path / "data.zip", "0000", quiet)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_part_is_dropped_so_that_the_next_call_succeeds(
    archive_server: ArchiveServer, tmp_path: Path
) -> None:
    (tmp_path / "data.zip.part").write_bytes(b"x" * 10)
    with pytest.raises(DownloadError, match="checksum"):
        download(archive_server.url, tmp_path / "data.zip", MD5, quiet)
    download(archive_server.url, tmp_path / "data.zip", MD5, quiet)
    assert (tmp_path / "data.zip").read_bytes() == archive_server.content


def test_a_missing_file_is_named_with_its_status(
    archive_server: ArchiveServer, tmp_path: Path
) -> None:
    archive_server.status = 404
    with pytest.raises(DownloadError) as caught:
        download(archive_server.url, tmp_path / "data.zip", MD5, quiet)
    assert str(caught.value).startswith(f"{archive_server.url} was answered with status 404")
    assert not (tmp_path / "data.zip").exists()


def test_without_a_network_the_address_and_the_way_out_are_named(tmp_path: Path) -> None:
    url = "http://127.0.0.1:1/data.zip"
    with pytest.raises(DownloadError) as caught:
        download(url, tmp_path / "data.zip", MD5, quiet)
    assert str(caught.value).startswith(f"{url} can't be reached (")
    assert str(caught.value).endswith("get the archive elsewhere and name it with --source")


def test_a_connection_cut_before_any_byte_keeps_the_part_for_the_next_call(tmp_path: Path) -> None:
    (tmp_path / "data.zip.part").write_bytes(b"kept")
    with pytest.raises(DownloadError):
        download("http://127.0.0.1:1/data.zip", tmp_path / "data.zip", MD5, quiet)
    assert (tmp_path / "data.zip.part").read_bytes() == b"kept"
