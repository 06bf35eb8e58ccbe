"""`/docs`: the API to try out, with Swagger UI from a package instead of from another server."""

from __future__ import annotations

from importlib.resources import as_file, files

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse

from serving.http.headers import NAME, SWAGGER
from serving.http.static import CheckedFiles


def install(app: FastAPI) -> None:
    """Add the page `/docs` and the files under `/swagger` that it needs, named relative to it."""
    with as_file(files("fastapi_swagger.resources")) as folder:
        app.mount("/swagger", CheckedFiles(directory=folder), name="swagger")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        page = get_swagger_ui_html(
            openapi_url="openapi.json",
            title=f"{app.title}: API",
            swagger_js_url="swagger/swagger-ui-bundle.js",
            swagger_css_url="swagger/swagger-ui.css",
            swagger_favicon_url="swagger/favicon-32x32.png",
        )
        page.headers[NAME] = SWAGGER
        page.headers["Cache-Control"] = "no-cache"
        return page
