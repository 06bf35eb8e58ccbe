"""Keep the model that the registry's alias names in memory, without ever being without one."""

from __future__ import annotations

import asyncio
import contextvars
import datetime
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, TypeVar

from serving.follow.cache import Cache
from serving.follow.registry import LoadError, Registry, Release
from serving.model.recommender import Model
from serving.model.selfcheck import check
from serving.telemetry import metrics

T = TypeVar("T")
logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""Pause between two looks for a reload that another worker was told."""

Source = Literal["registry", "local copy"]


@dataclass(frozen=True)
class Served:
    """A model in memory. A request keeps one for its whole life: its answer is of one version.

    Attributes:
        model: answers requests.
        release: which version of the registered model it is.
        source: `local copy` until the registry has confirmed the release.
        loaded_at: when it was read into memory.
    """

    model: Model
    release: Release
    source: Source
    loaded_at: datetime.datetime


class Reloading:
    """An attempt that several callers wait for, until it has begun."""

    begun = False
    served: asyncio.Future[Served]


class Loader:
    """Follow the registry; what serves stays until its successor has passed its check.

    `restore`, `poll` and `refresh` work in the calling thread, one at a time; the coroutines have
    them work in a thread of the loader's own: however long the registry does not answer, nothing
    else waits for a thread. `served` may be read at any time.
    """

    def __init__(self, registry: Registry, cache: Cache) -> None:
        self.served: Served | None = None
        self.problem: str | None = None
        self._registry = registry
        self._cache = cache
        self._refused: Release | None = None
        self._asked = cache.asked()
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, "loader")
        self._reloading: Reloading | None = None

    async def start(self) -> None:
        """Serve the last good local copy, if there is one."""
        await self._in_thread(self.restore)

    async def watch(self, seconds: float) -> None:
        """Look at the alias for ever."""
        while True:
            await self._in_thread(self.poll)
            await self._pause(seconds)

    async def reload(self) -> Served:
        """Serve what the alias names now, refused before or not; see `refresh`.

        All who ask before an attempt begins share it. One that has begun may have looked at the
        alias already: who asks then waits for the next one.
        """
        if self._reloading is None or self._reloading.begun:
            self._reloading = Reloading()
            self._reloading.served = self._in_thread(partial(self._reload, self._reloading))
        return await asyncio.shield(self._reloading.served)

    def _reload(self, attempt: Reloading) -> Served:
        attempt.begun = True
        return self.refresh(force=True)

    def _in_thread(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Have the loader's thread do something, with the request's id in its log."""
        run = contextvars.copy_context().run
        return asyncio.get_running_loop().run_in_executor(self._thread, run, work)

    def close(self) -> None:
        """Begin nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _pause(self, seconds: float) -> None:
        """Wait, but no longer than until another worker was told to reload; refusals end then."""
        for _ in range(max(1, round(seconds / LOOK_SECONDS))):
            await asyncio.sleep(min(seconds, LOOK_SECONDS))
            if self._cache.asked() != self._asked:
                self._asked = self._cache.asked()
                self._refused = None
                return

    def restore(self) -> None:
        """Serve the last good local copy, if there is one."""
        self._attempt(self._restore)

    def poll(self) -> None:
        """Follow the alias if it moved."""
        self._attempt(self.refresh)

    def refresh(self, *, force: bool = False) -> Served:
        """Serve the release that the alias names now, and return it.

        Args:
            force: load it even if it is served already or was refused before.

        Raises:
            LoadError: why that release can't be served; what served before still does.
        """
        with self._lock:
            if force:
                self._refused = None
                self._asked = self._cache.ask()
            release = self._registry.release()
            if release == self._refused:
                raise LoadError(_refusal(release))
            if force or self.served is None or self.served.release != release:
                return self._serve(release, "registry")
            if self.served.source != "registry":
                self.served = replace(self.served, source="registry")
            return self.served

    def _restore(self) -> None:
        with self._lock:
            if release := self._cache.last_good():
                self._serve(release, "local copy")

    def _attempt(self, step: Callable[[], object]) -> None:
        """Take a step; log a failure when it is new, not at every attempt.

        A `LoadError` goes without its traceback: MLflow's may hold a password.
        """
        try:
            step()
        except LoadError as error:
            self._note(str(error))
        except Exception as error:
            self._note(f"unexpected {type(error).__name__}", error)
        else:
            self._note(None)

    def _serve(self, release: Release, source: Source) -> Served:
        fresh = not self._cache.folder(release).is_dir()
        folder = self._cache.add(release, partial(self._registry.download, release))
        try:
            model = Model.load(folder)
            check(model)
            model.catalogue.prepare(self.served.model.catalogue if self.served else None)
        except (OSError, MemoryError) as error:  # this machine's trouble, no verdict on the model
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise LoadError(f"version {release.version} can't be loaded now ({reason})") from error
        except Exception as error:
            logger.warning("version %s is no good", release.version, exc_info=error)
            metrics.model_refused(self._registry.alias)
            self._cache.discard(release)
            if fresh:  # a copy that was spoilt since is fetched once more
                self._refused = release
            raise LoadError(_refusal(release)) from error
        now = datetime.datetime.now(datetime.UTC)
        self.served = served = Served(model, release, source, now)
        metrics.model_loaded(self._registry.alias, release.version, model.info.trained_at)
        fields = {"version": release.version, "source": source, "week": model.info.week}
        logger.info("model loaded", extra={"fields": fields})
        self._cache.mark_good(release)
        return served

    def _note(self, problem: str | None, error: Exception | None = None) -> None:
        if problem == self.problem:
            return
        self.problem = problem
        if problem is None:
            logger.info("the registry is followed again")
        else:
            logger.warning(problem, exc_info=error)


def _refusal(release: Release) -> str:
    return f"version {release.version} did not pass its check; the log says why"
