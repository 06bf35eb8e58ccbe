"""The application, put together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib.metadata import version

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from threadpoolctl import threadpool_limits

from serving import pages
from serving.experiments.answer_log import AnswerLog
from serving.experiments.experiment import Experiment
from serving.follow.cache import Cache
from serving.follow.loader import Loader
from serving.follow.registry import Registry
from serving.http import problems, swagger
from serving.http.hosts import HostCheck
from serving.http.limits import BodyLimit, RateLimit
from serving.http.middleware import Prefix, RequestLog, UnexpectedErrors
from serving.http.routes import routers
from serving.http.static import CheckedFiles
from serving.live import LiveRatings, RatingStore
from serving.live.file_store import FileStore
from serving.parent import end_with_parent
from serving.settings import Settings, load_settings
from serving.telemetry import metrics


@contextlib.asynccontextmanager
async def _following(app: FastAPI) -> AsyncIterator[None]:
    """Follow the registry while the application runs, with one BLAS thread a process.

    Nothing is asked before the last good local copy serves: a worker that replaces another one
    must not answer that it has no model.
    """
    settings: Settings = app.state.settings
    live_ratings: LiveRatings = app.state.live_ratings
    end_with_parent()
    metrics.take_space()
    loaders: list[Loader] = [loader for loader in (app.state.loader, app.state.candidate) if loader]
    with threadpool_limits(1, user_api="blas"):
        for loader in loaders:
            await loader.start()
        watches = [
            asyncio.create_task(live_ratings.watch(settings.ratings_poll_seconds)),
            *(asyncio.create_task(loader.watch(settings.poll_seconds)) for loader in loaders),
        ]
        yield
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)
        live_ratings.close()
        for loader in loaders:
            loader.close()
        app.state.answer_log.close()


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the API; the settings come from the environment unless given."""
    settings = settings or load_settings()
    app = FastAPI(
        title="CineMatch",
        summary="Movie recommendations by the model that is in production now",
        version=version("cinematch"),
        lifespan=_following,
        docs_url=None,
        redoc_url=None,
        responses=problems.documented(_429="too many requests: try again in 1 s"),
    )
    registry = Registry(settings.tracking_uri, settings.registered_model, settings.alias)
    app.state.settings = settings
    app.state.loader = Loader(registry, Cache(settings.cache_dir))
    app.state.candidate = _candidate(settings)
    app.state.experiment = Experiment(
        app.state.loader, app.state.candidate, settings.candidate_mode, settings.candidate_share
    )
    app.state.answer_log = AnswerLog(settings.answer_log, settings.answer_log_share)
    app.state.live_ratings = LiveRatings(_store(settings))
    _add_middleware(app, settings)
    problems.install(app)
    for router in routers:
        app.include_router(router)
    pages.install(app)
    swagger.install(app)
    settings.reports_dir.mkdir(parents=True, exist_ok=True)
    reports = CheckedFiles(directory=settings.reports_dir, html=True)
    app.mount("/reports", reports, name="reports")
    return app


def _candidate(settings: Settings) -> Loader | None:
    """Return what follows the second version, if one is wanted."""
    if settings.candidate_mode == "off":
        return None
    registry = Registry(settings.tracking_uri, settings.registered_model, settings.candidate_alias)
    folder = settings.cache_dir.with_name(f"{settings.cache_dir.name}-candidate")
    return Loader(registry, Cache(folder))


def _store(settings: Settings) -> RatingStore:
    """Return where ratings go: the database when there is one, else a file."""
    if settings.database_url is None:
        return FileStore(settings.ratings_file)
    from serving.live.postgres_store import PostgresStore  # psycopg, only where it is used

    return PostgresStore(settings.database_url.get_secret_value())


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    """Put the middleware around the routes; the last one added is the outermost."""
    app.add_middleware(BodyLimit, most=settings.max_body_bytes, seconds=settings.body_seconds)
    if "*" not in settings.allowed_hosts and (settings.allowed_hosts or settings.api_key is None):
        app.add_middleware(HostCheck, allowed=settings.allowed_hosts)
    if settings.rate_limit:
        app.add_middleware(RateLimit, rate=settings.rate_limit, burst=settings.rate_burst)
    app.add_middleware(UnexpectedErrors)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Content-Type", "X-API-Key", "X-Request-ID"],
            expose_headers=["X-Request-ID", "Retry-After"],
        )
    app.add_middleware(RequestLog, share=settings.request_log_share)
    if settings.root_path:
        app.add_middleware(Prefix, path=settings.root_path)
