"""The HTML pages of the API: the films and the dashboard."""

from serving.pages.routes import install

__all__ = ["install"]
