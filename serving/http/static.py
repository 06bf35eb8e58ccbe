"""Files that a browser may keep, and asks about before each use."""

from __future__ import annotations

from typing import Any

from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles


class CheckedFiles(StaticFiles):
    """Files of a folder, of which a browser never shows an old version: 304 while it is the same.

    Without `Cache-Control` it would guess from the file's age how long it need not ask.
    """

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Return the file, or 304."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response
