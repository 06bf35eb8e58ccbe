"""The page `/`, rendered from templates; everything that it loads lies in `static/`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from serving.loader import Loader
from serving.schemas import ServedModel

HERE = Path(__file__).parent
STATIC = "pages"
EXAMPLES = 6
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""What a browser may do on a page: load and ask this service, and nothing else."""

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


def install(app: FastAPI) -> None:
    """Add the pages and their files to the application."""
    app.include_router(router)
    app.mount(f"/{STATIC}", StaticFiles(directory=HERE / "static"), name=STATIC)


@router.get("/")
async def home(request: Request) -> HTMLResponse:
    """The films: search, stars, recommendations."""
    loader: Loader = request.app.state.loader
    served = loader.served
    return page(
        "home.html",
        model=ServedModel.of(served) if served else None,
        genres=served.model.genres if served else (),
        people=examples(served.model.user_ids.tolist()) if served else (),
    )


def examples(ids: Sequence[int]) -> list[int]:
    """Return a few of the ascending ids, evenly spread over them."""
    count = min(EXAMPLES, len(ids))
    return [ids[(2 * place + 1) * len(ids) // (2 * count)] for place in range(count)]


def page(template: str, **values: Any) -> HTMLResponse:
    """Render a template; a browser asks for it anew each time."""
    headers = {
        "Content-Security-Policy": POLICY,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
    }
    return HTMLResponse(_template(template).render(static=STATIC, **values), headers=headers)


@cache
def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
