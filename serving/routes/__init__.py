"""The routes. All are `async def`: no recommendation waits for a thread or a query."""

from fastapi import APIRouter

from serving.routes import operations, ratings, recommendations

router = APIRouter()
for part in (recommendations, ratings, operations):
    router.include_router(part.router)

__all__ = ["router"]
