"""Ratings given now: stored first, then counted."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Query

from serving.follow.loader import Served
from serving.http.problems import documented
from serving.http.routes.dependencies import BODY, LiveRatingsDep, ServedDep
from serving.http.schemas.base import StoredId
from serving.http.schemas.ratings import RatingRequest, StoredRating, Withdrawal
from serving.http.security import NO_KEY, require_key
from serving.live import Event, LiveRatings, StoreError
from serving.model.id_index import find
from serving.telemetry.metrics import RATINGS, count

NO_MOVIE = "movie 7 is not in the catalogue"
REFUSALS = documented(
    _401=NO_KEY,
    _404=NO_MOVIE,
    _422="the request is not valid",
    _503="no model is loaded yet, or the rating could not be stored",
)

router = APIRouter(tags=["ratings"], dependencies=[Depends(require_key)])


@router.post("/ratings", responses=BODY | REFUSALS)
async def rate(
    given: RatingRequest, served: ServedDep, live_ratings: LiveRatingsDep
) -> StoredRating:
    """Store a rating, new or changed; once this is answered, it counts and can't be lost."""
    event = Event(given.user_id, given.movie_id, given.rating)
    return await _stored(event, served, live_ratings)


@router.delete("/ratings/{movie_id}", responses=REFUSALS)
async def take_back(
    movie_id: Annotated[StoredId, Path(examples=[1])],
    asked: Annotated[Withdrawal, Query()],
    served: ServedDep,
    live_ratings: LiveRatingsDep,
) -> StoredRating:
    """Take a rating back; the movie may be recommended again."""
    return await _stored(Event(asked.user_id, movie_id, None), served, live_ratings)


async def _stored(event: Event, served: Served, live_ratings: LiveRatings) -> StoredRating:
    if find(served.model.movie_ids, event.movie_id) < 0:
        raise HTTPException(404, f"movie {event.movie_id} is not in the catalogue")
    try:
        await live_ratings.add(event)
    except StoreError as error:
        raise HTTPException(503, f"the rating is not stored: {error}") from error
    count(RATINGS, "given" if event.rating else "taken back")
    return StoredRating.model_validate(event)
