import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from serving.follow.cache import KEPT, Cache
from serving.follow.registry import LoadError, RegistryError, Release

FIRST, SECOND = Release("1", 100), Release("2", 200)


def fetch(scratch: Path) -> Path:
    folder = scratch / "artifacts" / "model"
    folder.mkdir(parents=True)
    (folder / "model.json").write_text("{}")
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def test_a_copy_is_the_model_alone(cache: Cache) -> None:
    folder = cache.add(FIRST, fetch)
    assert folder == cache.folder(FIRST)
    assert [p.name for p in folder.iterdir()] == ["model.json"]
    assert list(cache.root.iterdir()) == [folder]


def test_a_copy_is_fetched_once(cache: Cache) -> None:
    cache.add(FIRST, fetch)

    def refuse(_: Path) -> Path:
        raise AssertionError("fetched again")

    assert cache.add(FIRST, refuse) == cache.folder(FIRST)


def test_half_a_fetch_leaves_nothing(cache: Cache) -> None:
    def break_off(scratch: Path) -> Path:
        fetch(scratch)
        raise RegistryError("gone")

    with pytest.raises(RegistryError):
        cache.add(FIRST, break_off)
    assert list(cache.root.iterdir()) == []


def test_two_at_once_both_get_the_copy(cache: Cache) -> None:
    both_fetched = threading.Barrier(2)

    def slow_fetch(scratch: Path) -> Path:
        folder = fetch(scratch)
        both_fetched.wait(timeout=60)
        return folder

    with ThreadPoolExecutor(2) as pool:
        folders = list(pool.map(lambda _: cache.add(FIRST, slow_fetch), range(2)))
    assert folders == [cache.folder(FIRST)] * 2
    assert list(cache.root.iterdir()) == [cache.folder(FIRST)]


def test_nothing_is_good_before_it_is_marked(cache: Cache) -> None:
    assert cache.last_good() is None
    cache.add(FIRST, fetch)
    assert cache.last_good() is None


def test_the_last_one_marked_is_good(cache: Cache) -> None:
    for release in (FIRST, SECOND, FIRST):
        cache.add(release, fetch)
        cache.mark_good(release)
    assert cache.last_good() == FIRST
    assert Cache(cache.root).last_good() == FIRST


def test_a_discarded_copy_is_not_good(cache: Cache) -> None:
    cache.add(FIRST, fetch)
    cache.mark_good(FIRST)
    cache.discard(FIRST)
    assert cache.last_good() is None


@pytest.mark.parametrize("note", ["", "1", "1-x", "../1-100"])
def test_a_spoilt_note_names_nothing(cache: Cache, note: str) -> None:
    cache.add(FIRST, fetch)
    (cache.root / "last_good").write_text(note)
    assert cache.last_good() is None


def test_the_oldest_copies_go(cache: Cache) -> None:
    releases = [Release(str(n), n) for n in range(KEPT + 2)]
    for release in releases:
        cache.add(release, fetch)
        cache.mark_good(release)
    kept = {cache.folder(release) for release in releases[-KEPT:]}
    assert set(cache.root.glob("*/")) == kept


def test_a_rollback_keeps_the_old_copy(cache: Cache) -> None:
    releases = [Release(str(n), n) for n in range(KEPT)]
    for release in [*releases, releases[0]]:
        cache.add(release, fetch)
        cache.mark_good(release)
    cache.add(Release("9", 9), fetch)
    cache.mark_good(Release("9", 9))
    assert cache.folder(releases[0]).is_dir()
    assert not cache.folder(releases[1]).is_dir()


def test_a_folder_that_can_not_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = Cache(tmp_path / "file" / "cache")
    for write in (cache.ask, lambda: cache.add(FIRST, fetch), lambda: cache.mark_good(FIRST)):
        with pytest.raises(
            LoadError, match=r"CINEMATCH_SERVING_CACHE_DIR can't be used \(Not a dir"
        ):
            write()
    assert cache.asked() == 0
