"""Operations: health, readiness, version, metrics, reload."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import PlainTextResponse, Response

from serving.follow.registry import LoadError
from serving.http.problems import documented
from serving.http.routes.dependencies import NO_MODEL, LoaderDep, ServedDep
from serving.http.schemas.operations import Health, Ready, Reloaded, ServedModel, Version
from serving.http.security import FOREIGN, NO_KEY, require_key
from serving.platform.figures import PlatformFigures
from serving.telemetry import metrics

router = APIRouter(tags=["operations"])


@router.get("/health")
async def health(loader: LoaderDep) -> Health:
    """Whether the process is alive; 200 even without a model."""
    version = loader.served.release.version if loader.served else None
    return Health(model_loaded=version is not None, model_version=version)


@router.get("/ready", responses=documented(_503=NO_MODEL))
async def ready(served: ServedDep) -> Ready:
    """Whether recommendations are answered."""
    return Ready(model_version=served.release.version)


@router.get("/version")
async def version(request: Request, loader: LoaderDep) -> Version:
    """The version of the service and of its model, when the model was loaded, and from where."""
    served = loader.served
    return Version(
        service=request.app.version,
        model=ServedModel.of(served) if served else None,
        problem=loader.problem,
    )


@router.get("/metrics", response_class=PlainTextResponse)
async def figures(request: Request) -> Response:
    """Metrics of all workers and of the platform, for Prometheus."""
    platform = PlatformFigures(request.app.state.settings.reports_dir)
    text = await asyncio.to_thread(metrics.page, platform)
    return Response(text, media_type=metrics.CONTENT_TYPE)


@router.post(
    "/reload-model",
    dependencies=[Depends(require_key)],
    responses=documented(
        _401=NO_KEY,
        _403=FOREIGN,
        _502="version 4 did not pass its check; the log says why; version 3 serves on",
    ),
)
async def reload_model(loader: LoaderDep) -> Reloaded:
    """Load the version that is in production now; if that fails, the model before serves on."""
    try:
        served = await loader.reload()
    except LoadError as error:
        before = loader.served
        still = f"version {before.release.version} serves on" if before else "no model is loaded"
        raise HTTPException(502, f"{error}; {still}") from error
    return Reloaded(version=served.release.version)
