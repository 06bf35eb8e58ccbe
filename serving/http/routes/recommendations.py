"""Recommendations for anybody."""

from __future__ import annotations

from fastapi import APIRouter, BackgroundTasks, HTTPException, Request

from serving.http.routes.dependencies import BODY, NO_MODEL, Answering
from serving.http.schemas.recommendations import Recommendations, RecommendRequest
from serving.telemetry.metrics import ANSWERS, count

router = APIRouter(tags=["recommendations"])


@router.post("/recommend", responses=BODY)
async def recommend(
    body: RecommendRequest, request: Request, background: BackgroundTasks
) -> Recommendations:
    """The best movies for anybody: a known user, one who sends ratings, or a stranger."""
    experiment, live_ratings, log = Answering.of(request)
    arm, served = experiment.of(body.user_id)
    if served is None:
        raise HTTPException(503, NO_MODEL)
    answer = served.model.recommend(
        body.user_id,
        body.top_k,
        ratings={
            **live_ratings.of(body.user_id),
            **{r.movie_id: r.rating for r in body.ratings},
        },
        genres=body.genres,
        filters=body.filters,
    )
    count(ANSWERS, answer.strategy, str(answer.fallback).lower(), arm)
    if log.wanted():
        background.add_task(log.write, answer, arm, served, experiment.shadow)
    return Recommendations.of(answer, served.release.version, arm)
