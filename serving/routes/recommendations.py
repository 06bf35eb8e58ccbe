"""Recommendations for anybody."""

from __future__ import annotations

from fastapi import APIRouter

from serving.routes.dependencies import BODY, RecentDep, ServedDep
from serving.schemas.recommendations import Recommendations, RecommendRequest

router = APIRouter(tags=["recommendations"])


@router.post("/recommend", responses=BODY)
async def recommend(
    wish: RecommendRequest, served: ServedDep, recent: RecentDep
) -> Recommendations:
    """The best movies for anybody: a known user, one who sends ratings, or a stranger."""
    answer = served.model.recommend(
        wish.user_id,
        wish.top_k,
        ratings={**recent.of(wish.user_id), **{r.movie_id: r.rating for r in wish.ratings}},
        genres=wish.genres,
        wish=wish.wish,
    )
    return Recommendations.of(answer, served.release.version)
