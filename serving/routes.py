"""The routes. All are `async def`: nothing on the request path waits for a thread or a query."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request

from serving.loader import Loader, Served
from serving.problems import documented
from serving.registry import LoadError
from serving.schemas import (
    Health,
    Ready,
    Recommendations,
    RecommendRequest,
    Reloaded,
    ServedModel,
    Version,
)
from serving.security import require_key

NO_MODEL = "no model is loaded yet: none has reached production, or the registry is out of reach"

router = APIRouter()


async def _loader(request: Request) -> Loader:
    loader: Loader = request.app.state.loader
    return loader


LoaderDep = Annotated[Loader, Depends(_loader)]


async def _served(loader: LoaderDep) -> Served:
    if loader.served is None:
        raise HTTPException(503, NO_MODEL)
    return loader.served


ServedDep = Annotated[Served, Depends(_served)]


@router.get("/health", tags=["operations"])
async def health(loader: LoaderDep) -> Health:
    """Whether the process lives; status 200 without a model too."""
    version = loader.served.release.version if loader.served else None
    return Health(model_loaded=version is not None, model_version=version)


@router.get("/ready", tags=["operations"], responses=documented(_503=NO_MODEL))
async def ready(served: ServedDep) -> Ready:
    """Whether recommendations are answered."""
    return Ready(model_version=served.release.version)


@router.get("/version", tags=["operations"])
async def version(request: Request, loader: LoaderDep) -> Version:
    """Which service and which model answer, since when, and from where the model came."""
    served = loader.served
    return Version(
        service=request.app.version,
        model=ServedModel.of(served) if served else None,
        problem=loader.problem,
    )


@router.post(
    "/recommend",
    tags=["recommendations"],
    responses=documented(
        _400="the body is not JSON in UTF-8", _422="the request is not valid", _503=NO_MODEL
    ),
)
async def recommend(wish: RecommendRequest, served: ServedDep) -> Recommendations:
    """The best movies for anybody: a known user, one who sends ratings, or a stranger."""
    answer = served.model.recommend(
        wish.user_id,
        wish.top_k,
        ratings={r.movie_id: r.rating for r in wish.ratings},
        genres=wish.genres,
    )
    return Recommendations.of(answer, served.release.version)


@router.post(
    "/reload-model",
    tags=["operations"],
    dependencies=[Depends(require_key)],
    responses=documented(
        _401="the header X-API-Key does not hold the key of this service",
        _502="version 4 did not pass its check; the log says why; version 3 serves on",
    ),
)
async def reload_model(loader: LoaderDep) -> Reloaded:
    """Load the version in production now; what serves stays when that fails."""
    try:
        served = await asyncio.to_thread(loader.refresh, force=True)
    except LoadError as error:
        before = loader.served
        still = f"version {before.release.version} serves on" if before else "no model is loaded"
        raise HTTPException(502, f"{error}; {still}") from error
    return Reloaded(version=served.release.version)
