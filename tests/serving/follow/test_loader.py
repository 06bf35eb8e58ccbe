import asyncio
import datetime
import errno
import logging
import math
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from serving.follow.cache import Cache
from serving.follow.loader import Loader
from serving.follow.registry import LoadError, Registry, RegistryError, Release
from tests.serving.hand_made import change_arrays
from tests.serving.support import broken_model, tiny_model

FIRST, SECOND, BROKEN = Release("1", 100), Release("2", 200), Release("3", 300)


class FolderRegistry(Registry):
    """A registry whose alias and files are on this disk."""

    def __init__(self, models: dict[Release, Path]) -> None:
        super().__init__("http://nowhere", "a_model", "production")
        self.models = models
        self.named: Release | None = None
        self.downloads: list[Release] = []

    def release(self) -> Release:
        if self.named is None:
            raise RegistryError("no version has the alias")
        return self.named

    def download(self, release: Release, folder: Path) -> Path:
        self.downloads.append(release)
        return Path(shutil.copytree(self.models[release], folder / "model"))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[Release, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {
        FIRST: tiny_model(folder / "1", "v1"),
        SECOND: tiny_model(folder / "2", "v2"),
        BROKEN: broken_model(folder / "3"),
    }


@pytest.fixture
def registry(models: dict[Release, Path]) -> FolderRegistry:
    return FolderRegistry(models)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def loader(registry: FolderRegistry, cache: Cache) -> Loader:
    return Loader(registry, cache)


def served(loader: Loader) -> tuple[Release, str]:
    assert loader.served
    return loader.served.release, loader.served.source


def first_title(loader: Loader) -> str:
    assert loader.served
    return loader.served.model.recommend(1, 1).recommendations[0].title


def test_without_a_release_nothing_serves(loader: Loader) -> None:
    loader.restore()
    loader.poll()
    assert loader.served is None
    assert loader.problem == "no version has the alias"


def test_the_alias_is_followed_forth_and_back(loader: Loader, registry: FolderRegistry) -> None:
    for release, label in ((FIRST, "v1"), (SECOND, "v2"), (FIRST, "v1")):
        registry.named = release
        loader.poll()
        assert served(loader) == (release, "registry")
        assert first_title(loader).endswith(f"({label})")
    assert loader.problem is None
    assert registry.downloads == [FIRST, SECOND]


def test_an_alias_at_rest_changes_nothing(loader: Loader, registry: FolderRegistry) -> None:
    registry.named = FIRST
    loader.poll()
    before = loader.served
    loader.poll()
    assert loader.served is before


def test_the_time_of_loading_is_known(loader: Loader, registry: FolderRegistry) -> None:
    registry.named = FIRST
    before = datetime.datetime.now(datetime.UTC)
    loaded = loader.refresh().loaded_at
    assert before <= loaded <= datetime.datetime.now(datetime.UTC)


def test_another_registrys_version_1_is_another_model(
    loader: Loader, registry: FolderRegistry, models: dict[Release, Path]
) -> None:
    registry.named = FIRST
    loader.poll()
    other = Release("1", 999)
    registry.models = models | {other: models[SECOND]}
    registry.named = other
    loader.poll()
    assert first_title(loader).endswith("(v2)")


def test_what_serves_outlives_the_alias(loader: Loader, registry: FolderRegistry) -> None:
    registry.named = FIRST
    loader.poll()
    registry.named = None
    loader.poll()
    assert served(loader) == (FIRST, "registry")


def test_a_bad_model_is_refused_once(loader: Loader, registry: FolderRegistry) -> None:
    registry.named = FIRST
    loader.poll()
    registry.named = BROKEN
    for _ in range(3):
        loader.poll()
    assert served(loader) == (FIRST, "registry")
    assert loader.problem == "version 3 did not pass its check; the log says why"
    assert registry.downloads == [FIRST, BROKEN]


def test_after_a_bad_model_the_next_move_is_followed(
    loader: Loader, registry: FolderRegistry
) -> None:
    for release in (FIRST, BROKEN, SECOND):
        registry.named = release
        loader.poll()
    assert served(loader) == (SECOND, "registry")
    assert loader.problem is None


def test_a_bad_model_is_never_the_local_copy(
    loader: Loader, registry: FolderRegistry, cache: Cache
) -> None:
    for release in (FIRST, BROKEN):
        registry.named = release
        loader.poll()
    assert cache.last_good() == FIRST
    assert not cache.folder(BROKEN).exists()


def test_force_tries_a_refused_model_again(loader: Loader, registry: FolderRegistry) -> None:
    registry.named = BROKEN
    loader.poll()
    with pytest.raises(LoadError, match="version 3"):
        loader.refresh(force=True)
    assert registry.downloads == [BROKEN, BROKEN]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files"),
        (MemoryError(), "MemoryError"),
    ],
)
def test_a_fault_that_passes_is_no_verdict(
    loader: Loader,
    registry: FolderRegistry,
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
    reason: str,
) -> None:
    def fail(_: object) -> None:
        raise fault

    registry.named = FIRST
    with monkeypatch.context() as patch:
        patch.setattr("serving.follow.loader.check", fail)
        loader.poll()
    assert loader.problem == f"version 1 can't be loaded now ({reason})"
    loader.poll()
    assert served(loader) == (FIRST, "registry")
    assert registry.downloads == [FIRST]


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.01)


@pytest.mark.anyio
async def test_a_reload_ends_the_refusal_of_the_other_workers(
    loader: Loader, registry: FolderRegistry, cache: Cache, models: dict[Release, Path]
) -> None:
    other = Loader(registry, cache)
    registry.named = BROKEN
    loader.poll()
    watching = asyncio.create_task(other.watch(3600))
    await until(lambda: other.problem)
    registry.models = models | {BROKEN: models[SECOND]}
    await asyncio.to_thread(loader.refresh, force=True)
    await until(lambda: other.served)
    watching.cancel()
    assert served(other) == (BROKEN, "registry")


@pytest.mark.anyio
async def test_a_cache_that_can_not_be_read_does_not_end_the_watching(
    loader: Loader, registry: FolderRegistry, cache: Cache
) -> None:
    watching = asyncio.create_task(loader.watch(0.01))
    await until(lambda: loader.problem)
    cache.root.mkdir()
    asked = cache.root / "reload_asked"
    asked.symlink_to(asked)
    await asyncio.sleep(0.1)
    registry.named = FIRST
    await until(lambda: loader.served or watching.done())
    assert served(loader) == (FIRST, "registry")
    watching.cancel()


def test_a_cache_that_can_not_be_written_is_named(registry: FolderRegistry, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    loader = Loader(registry, Cache(tmp_path / "file" / "cache"))
    registry.named = FIRST
    loader.poll()
    assert (
        loader.problem == "the folder CINEMATCH_SERVING_CACHE_DIR can't be used (Not a directory)"
    )
    with pytest.raises(LoadError, match="CACHE_DIR can't be used"):
        loader.refresh(force=True)


def test_force_loads_anew(loader: Loader, registry: FolderRegistry) -> None:
    registry.named = FIRST
    before = loader.refresh()
    assert loader.refresh(force=True) is not before
    assert loader.served is not before
    assert registry.downloads == [FIRST]


def test_the_local_copy_serves_until_the_registry_answers(
    loader: Loader, registry: FolderRegistry, cache: Cache
) -> None:
    registry.named = FIRST
    loader.poll()
    restarted = Loader(registry, cache)
    restarted.restore()
    assert served(restarted) == (FIRST, "local copy")
    registry.named = None
    restarted.poll()
    assert served(restarted) == (FIRST, "local copy")
    registry.named = FIRST
    loaded = restarted.served
    restarted.poll()
    assert served(restarted) == (FIRST, "registry")
    assert restarted.served is not None
    assert loaded is not None
    assert restarted.served.model is loaded.model


def test_a_spoilt_local_copy_is_fetched_again(
    loader: Loader, registry: FolderRegistry, cache: Cache
) -> None:
    registry.named = FIRST
    loader.poll()
    change_arrays(cache.folder(FIRST), list_scores=np.full((1, 1), math.nan))
    restarted = Loader(registry, cache)
    restarted.restore()
    assert restarted.served is None
    restarted.poll()
    assert served(restarted) == (FIRST, "registry")
    assert registry.downloads == [FIRST, FIRST]


def test_a_state_is_logged_once(
    loader: Loader, registry: FolderRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "serving")
    for release in (None, None, FIRST, FIRST, None, None, FIRST):
        registry.named = release
        loader.poll()
    assert [r.message for r in caplog.records] == [
        "no version has the alias",
        "model loaded",
        "the registry is followed again",
        "no version has the alias",
        "the registry is followed again",
    ]


def test_an_unexpected_error_does_not_end_the_polling(
    loader: Loader, registry: FolderRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    registry.models = {}
    registry.named = FIRST
    loader.poll()
    loader.poll()
    assert loader.problem == "unexpected KeyError"
    assert [r.message for r in caplog.records] == ["unexpected KeyError"]
    assert "Traceback" in caplog.text


def test_an_unreadable_cache_does_not_end_the_start(loader: Loader, cache: Cache) -> None:
    cache.root.mkdir()
    (cache.root / "last_good").mkdir()
    loader.restore()
    assert loader.problem == "unexpected IsADirectoryError"


def test_many_refreshes_at_once_load_one_model(loader: Loader, registry: FolderRegistry) -> None:
    registry.named = FIRST
    together = threading.Barrier(8)

    def refresh(_: int) -> int:
        together.wait(timeout=60)
        return id(loader.refresh().model)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(refresh, range(8)))) == 1
    assert registry.downloads == [FIRST]


@pytest.mark.anyio
async def test_reloads_share_the_next_attempt(
    loader: Loader, registry: FolderRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answer = threading.Semaphore(0), threading.Semaphore(0)
    looks: list[Release | None] = []
    look = registry.release

    def slow_release() -> Release:
        looks.append(registry.named)
        found = look()
        asked.release()
        answer.acquire()
        return found

    monkeypatch.setattr(registry, "release", slow_release)
    registry.named = FIRST
    first = asyncio.create_task(loader.reload())
    await asyncio.to_thread(asked.acquire)  # it has looked at the alias
    registry.named = SECOND
    others = [asyncio.create_task(loader.reload()) for _ in range(7)]
    await asyncio.sleep(0)
    answer.release(2)
    assert (await first).release == FIRST
    assert {(await other).release for other in others} == {SECOND}
    assert looks == [FIRST, SECOND]
    answer.release()
    assert (await loader.reload()).release == SECOND
    assert len(looks) == 3
    loader.close()
