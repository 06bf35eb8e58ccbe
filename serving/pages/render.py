"""From a template to an answer; everything that a page loads lies in `static/`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from fastapi.responses import HTMLResponse

from serving.http.headers import NAME, OWN_FILES
from serving.kit.render import environment

HERE = Path(__file__).parent
STATIC = "pages"


def page(template: str, **values: Any) -> HTMLResponse:
    """Render a template; a browser asks for it anew each time."""
    text = _environment().get_template(template).render(static=STATIC, **values)
    return HTMLResponse(text, headers={NAME: OWN_FILES, "Cache-Control": "no-cache"})


@cache
def _environment() -> jinja2.Environment:
    return environment("serving.pages")
