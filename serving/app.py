"""The application, put together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from threadpoolctl import threadpool_limits

from serving import pages, problems
from serving.cache import Cache
from serving.loader import Loader
from serving.middleware import RequestLog
from serving.registry import Registry
from serving.routes import router
from serving.settings import Settings, load_settings


@contextlib.asynccontextmanager
async def _following(app: FastAPI) -> AsyncIterator[None]:
    """Follow the registry while the application runs, with one BLAS thread a process."""
    settings: Settings = app.state.settings
    with threadpool_limits(1, user_api="blas"):
        watch = asyncio.create_task(app.state.loader.watch(settings.poll_seconds))
        yield
        watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watch


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the API; the settings come from the environment unless given."""
    settings = settings or load_settings()
    app = FastAPI(
        title="CineMatch",
        summary="Movie recommendations by the model that is in production now",
        version=version("cinematch"),
        lifespan=_following,
    )
    registry = Registry(settings.tracking_uri, settings.registered_model, settings.alias)
    app.state.settings = settings
    app.state.loader = Loader(registry, Cache(settings.cache_dir))
    app.add_middleware(RequestLog, share=settings.request_log_share)
    problems.install(app)
    app.include_router(router)
    pages.install(app)
    settings.reports_dir.mkdir(parents=True, exist_ok=True)
    reports = StaticFiles(directory=settings.reports_dir, html=True)
    app.mount("/reports", reports, name="reports")
    return app
