"""From a template to an answer; everything that a page loads lies in `static/`."""

from __future__ import annotations

import datetime
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from fastapi.responses import HTMLResponse

HERE = Path(__file__).parent
STATIC = "pages"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""What a browser may do on a page: load and ask this service, and nothing else."""


def page(template: str, **values: Any) -> HTMLResponse:
    """Render a template; a browser asks for it anew each time."""
    text = _environment().get_template(template).render(static=STATIC, **values)
    return HTMLResponse(
        text, headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    )


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"moment": moment, "number": number}
    return environment


def moment(value: str | datetime.datetime | None) -> str:
    """Write a point in time to the minute, in UTC."""
    if value is None:
        return ""
    at = datetime.datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{at.astimezone(datetime.UTC):%-d %b %Y, %H:%M}"


def number(value: float | None, digits: int = 0) -> str:
    """Write a number with a comma at the thousands; nothing for None."""
    return "" if value is None else f"{value:,.{digits}f}"
