"""Who may change something: who has the API key, or looks at a page of this service."""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated

from fastapi import HTTPException, Request, Response, Security
from fastapi.security import APIKeyHeader
from itsdangerous import BadSignature, TimestampSigner
from pydantic import SecretStr

from serving.http.hosts import is_foreign_page, is_own_page
from serving.settings import Settings

HEADER = APIKeyHeader(
    name="X-API-Key", auto_error=False, description="Needed when the service has a key."
)
NO_KEY = "the header X-API-Key does not hold the key of this service"
FOREIGN = "pages of other origins may not change anything here"
COOKIE = "cinematch_page"
SESSION_SECONDS = 24 * 60 * 60

Key = Annotated[str | None, Security(HEADER)]


async def require_key(request: Request, key: Key) -> None:
    """Refuse a request without the configured key; without one, requests of foreign pages."""
    settings: Settings = request.app.state.settings
    if settings.api_key is None:
        if is_foreign_page(request.headers, settings.cors_origins):
            raise HTTPException(403, FOREIGN)
    elif not _is_key(key, settings.api_key):
        raise HTTPException(401, NO_KEY, {"WWW-Authenticate": "APIKey"})


async def require_key_or_page(request: Request, key: Key) -> None:
    """Let the service's own page pass, too: one that `start_session` has marked."""
    expected = request.app.state.settings.api_key
    if expected is None or not _has_session(request, expected):
        await require_key(request, key)


def start_session(request: Request, page: Response) -> None:
    """Mark the browser that gets a page, where changes need a key, for `SESSION_SECONDS`."""
    settings: Settings = request.app.state.settings
    if settings.api_key is not None:
        page.set_cookie(
            COOKIE,
            _signer(settings.api_key).sign("page").decode(),
            max_age=SESSION_SECONDS,
            path=settings.root_path or "/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )


def _is_key(sent: str | None, expected: SecretStr) -> bool:
    encoded = (sent or "").encode("latin-1")  # as header values are decoded
    return hmac.compare_digest(encoded, expected.get_secret_value().encode())


def _has_session(request: Request, key: SecretStr) -> bool:
    cookie = request.cookies.get(COOKIE)
    if cookie is None or not is_own_page(request.headers):
        return False
    try:
        _signer(key).unsign(cookie, max_age=SESSION_SECONDS)
    except BadSignature:
        return False
    return True


def _signer(key: SecretStr) -> TimestampSigner:
    return TimestampSigner(key.get_secret_value(), salt=COOKIE, digest_method=hashlib.sha256)
