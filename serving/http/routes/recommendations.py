"""Recommendations for a user."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request

from serving.experiments.answer_log import Question
from serving.http.routes.dependencies import BODY, NO_MODEL, Answering
from serving.http.schemas.recommendations import Recommendations, RecommendRequest
from serving.telemetry.metrics import ANSWERS, count

router = APIRouter(tags=["recommendations"])


@router.post("/recommend", responses=BODY)
async def recommend(body: RecommendRequest, request: Request) -> Recommendations:
    """Recommend movies to a user: known to the model, sending ratings, or unknown."""
    experiment, live_ratings, log = Answering.of(request)
    arm, served = experiment.of(body.user_id)
    if served is None:
        raise HTTPException(503, NO_MODEL)
    given = {r.movie_id: r.rating for r in body.ratings}
    ratings = {**live_ratings.of(body.user_id), **given}
    question = Question(body.user_id, body.top_k, ratings, body.genres, body.filters)
    answer = served.model.recommend(*question)
    count(ANSWERS, answer.strategy, str(answer.fallback).lower(), arm)
    if log.wanted():
        log.add(question, answer, arm, served, experiment.shadow)
    return Recommendations.of(answer, served.release.version, arm)
