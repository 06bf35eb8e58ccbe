"""Ratings given now: stored first, then counted."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Query

from serving.http.problems import documented
from serving.http.routes.dependencies import (
    BODY,
    NO_MODEL,
    LiveRatingsDep,
    LoaderDep,
    ServedDep,
)
from serving.http.schemas.base import StoredId
from serving.http.schemas.ratings import RatingRequest, StoredRating, Withdrawal
from serving.http.security import FOREIGN, NO_KEY, require_key_or_page
from serving.live import Event, LiveRatings, StoreError
from serving.model.id_index import find
from serving.telemetry.metrics import RATINGS, count

NO_MOVIE = "movie 7 is not in the catalogue"
REFUSALS = documented(
    _401=NO_KEY,
    _403=FOREIGN,
    _404=NO_MOVIE,
    _422="the request is not valid",
    _503="no model is loaded yet, or the rating could not be stored",
)

router = APIRouter(tags=["ratings"], dependencies=[Depends(require_key_or_page)])


@router.post("/ratings", responses=BODY | REFUSALS)
async def rate(
    given: RatingRequest, served: ServedDep, live_ratings: LiveRatingsDep
) -> StoredRating:
    """Store a rating, new or changed; once this is answered, it counts and is on the disk."""
    event = Event(given.user_id, given.movie_id, given.rating)
    if find(served.model.movie_ids, event.movie_id) < 0:
        raise _unknown(event.movie_id)
    return await _stored(event, live_ratings)


@router.delete("/ratings/{movie_id}", responses=REFUSALS)
async def take_back(
    movie_id: Annotated[StoredId, Path(examples=[1])],
    asked: Annotated[Withdrawal, Query()],
    loader: LoaderDep,
    live_ratings: LiveRatingsDep,
) -> StoredRating:
    """Withdraw a rating; the movie may be recommended again.

    A stored rating can be withdrawn even if the model in production lacks the movie.
    """
    served = loader.served
    if served is None or find(served.model.movie_ids, movie_id) < 0:
        if movie_id not in live_ratings.of(asked.user_id):
            await live_ratings.look()  # another worker may have stored it
        if movie_id not in live_ratings.of(asked.user_id):
            raise _unknown(movie_id) if served else HTTPException(503, NO_MODEL)
    return await _stored(Event(asked.user_id, movie_id, None), live_ratings)


def _unknown(movie_id: int) -> HTTPException:
    return HTTPException(404, f"movie {movie_id} is not in the catalogue")


async def _stored(event: Event, live_ratings: LiveRatings) -> StoredRating:
    try:
        await live_ratings.add(event)
    except StoreError as error:
        raise HTTPException(503, f"the rating is not stored: {error}") from error
    count(RATINGS, "given" if event.rating else "taken back")
    return StoredRating.model_validate(event)
