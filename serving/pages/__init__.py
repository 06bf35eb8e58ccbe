"""Pages for people: the films, the dashboard, and what they have in common."""

from serving.pages.routes import install

__all__ = ["install"]
