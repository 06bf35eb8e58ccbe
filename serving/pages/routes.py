"""The page `/`, and all that belongs to the pages."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse

from serving.follow.loader import Loader
from serving.http.schemas.operations import ServedModel
from serving.http.security import start_session
from serving.http.static import CheckedFiles
from serving.kit import render as kit
from serving.pages import dashboard
from serving.pages.render import HERE, STATIC, page

EXAMPLES = 6

router = APIRouter(include_in_schema=False)


def install(app: FastAPI) -> None:
    """Add the pages and their files to the application."""
    app.include_router(router)
    app.include_router(dashboard.router)
    app.mount(f"/{STATIC}/kit", CheckedFiles(directory=kit.STATIC), name="kit")
    app.mount(f"/{STATIC}", CheckedFiles(directory=HERE / "static"), name=STATIC)


@router.get("/")
async def home(request: Request) -> HTMLResponse:
    """The films: search, stars, recommendations."""
    loader: Loader = request.app.state.loader
    served = loader.served
    answer = page(
        "home.html",
        model=ServedModel.of(served) if served else None,
        genres=served.model.genres if served else (),
        users=examples(served.model.user_ids.tolist()) if served else (),
    )
    start_session(request, answer)
    return answer


def examples(ids: Sequence[int]) -> list[int]:
    """Return a few of the ascending ids, evenly spread over them."""
    count = min(EXAMPLES, len(ids))
    return [ids[(2 * place + 1) * len(ids) // (2 * count)] for place in range(count)]
