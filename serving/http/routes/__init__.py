"""The routes. All are `async def`: no recommendation waits for a thread or a query."""

from serving.http.routes import first_version, movies, operations, ratings, recommendations, users

PARTS = (recommendations, ratings, movies, users, first_version, operations)
routers = tuple(part.router for part in PARTS)
"""Include each in the application: a router of routers would be searched at every request."""

__all__ = ["routers"]
