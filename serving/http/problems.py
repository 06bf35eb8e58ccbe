"""Errors as problem documents (RFC 9457), the same for every route."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What went wrong with a request; `errors` maps each wrong field to what was expected."""

    model_config = ConfigDict(frozen=True)

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: dict[str, str] | None = None


def problem_response(
    status: int,
    detail: str,
    errors: dict[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return the answer that carries a problem document."""
    problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors)
    content = problem.model_dump(exclude_none=True)
    return JSONResponse(content, status, headers=headers, media_type=MEDIA_TYPE)


def documented(**details: str) -> dict[int | str, dict[str, Any]]:
    """Return the error answers of a route for its OpenAPI entry: `_404="what it means"`."""
    return {int(name[1:]): _entry(int(name[1:]), detail) for name, detail in details.items()}


def install(app: FastAPI) -> None:
    """Answer every refused request of the app with a problem document."""
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)


async def _on_http_exception(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    headers = error.headers
    if headers and headers.get("Allow", "") == "GET":
        headers = {**headers, "Allow": "GET, HEAD"}  # see `middleware.RequestLog`
    return problem_response(error.status_code, error.detail, headers=headers)


async def _on_invalid_request(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = {".".join(map(str, e["loc"])): e["msg"] for e in error.errors()}
    return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, "the request is not valid", errors)


def _entry(status: int, detail: str) -> dict[str, Any]:
    example = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema(), "example": example}}
    return {"description": detail, "content": content}
