from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from serving.base.files import replace_text, replacing

SIZE = 200_000


def test_a_file_is_made_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "page.html"
    replace_text(path, "Amélie\n")
    assert path.read_bytes() == "Amélie\n".encode()
    assert list(path.parent.iterdir()) == [path]


def test_until_the_end_the_old_file_is_there(tmp_path: Path) -> None:
    path = tmp_path / "note"
    path.write_text("old")
    with replacing(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
        assert partial.parent == path.parent  # a rename across file systems is none
    assert path.read_text() == "new"


def test_after_an_error_the_old_file_stays_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "note"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        replace_text(path, "a\udc80")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def _write(path: Path, letter: str) -> None:
    for _ in range(20):
        replace_text(path, letter * SIZE)


def test_a_reader_sees_one_writers_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "note"
    replace_text(path, "a" * SIZE)
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(path, letter)) for letter in "ab"]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert path.read_text() in {"a" * SIZE, "b" * SIZE}
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert list(tmp_path.iterdir()) == [path]
