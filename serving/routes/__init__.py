"""The routes. All are `async def`: no recommendation waits for a thread or a query."""

from fastapi import APIRouter

from serving.routes import first_version, movies, operations, ratings, recommendations, users

router = APIRouter()
for part in (recommendations, ratings, movies, users, first_version, operations):
    router.include_router(part.router)

__all__ = ["router"]
