"""The API key of the routes that change something."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import HTTPException, Request, Security
from fastapi.security import APIKeyHeader

HEADER = APIKeyHeader(
    name="X-API-Key", auto_error=False, description="Needed when the service has a key."
)


NO_KEY = "the header X-API-Key does not hold the key of this service"


async def require_key(request: Request, key: Annotated[str | None, Security(HEADER)]) -> None:
    """Refuse a request without the configured key; without one configured let all pass."""
    expected = request.app.state.settings.api_key
    if expected is None:
        return
    sent = (key or "").encode("latin-1")  # as header values are decoded
    if not hmac.compare_digest(sent, expected.get_secret_value().encode()):
        raise HTTPException(401, NO_KEY)
