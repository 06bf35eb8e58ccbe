"""What is known of a user."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Path

from serving.http.problems import documented
from serving.http.routes.dependencies import NO_MODEL, LiveRatingsDep, ServedDep
from serving.http.schemas.base import Id
from serving.http.schemas.movies import RatedMovie, User
from serving.model.id_index import find

MOST_RATINGS = 1000
MOST_GENRES = 5

router = APIRouter(tags=["users"])


@router.get(
    "/users/{user_id}", responses=documented(_422="the request is not valid", _503=NO_MODEL)
)
async def user(
    user_id: Annotated[Id, Path(examples=[123])], served: ServedDep, live_ratings: LiveRatingsDep
) -> User:
    """The ratings of a user, from training and since; none if the user is unknown."""
    model, catalogue = served.model, served.model.catalogue
    trained, live = model.profile(user_id), live_ratings.of(user_id)
    merged = {**trained, **live}
    stars = {
        row: (movie, rating)
        for movie, rating in merged.items()
        if rating is not None and (row := catalogue.row(movie)) >= 0
    }
    genres = Counter(genre for row in stars for genre in catalogue.genre_text(row).split("|"))
    best = sorted(stars.items(), key=lambda item: (-item[1][1], item[0]))[:MOST_RATINGS]
    return User(
        user_id=user_id,
        known=find(model.user_ids, user_id) >= 0,
        n_ratings=len(stars),
        mean_rating=sum(rating for _, rating in stars.values()) / len(stars) if stars else None,
        genres=[genre for genre, _ in genres.most_common(MOST_GENRES)],
        ratings=[
            RatedMovie(
                movie_id=movie,
                title=catalogue.title(row),
                rating=rating,
                source="training" if trained.get(movie) == rating else "live",
            )
            for row, (movie, rating) in best
        ],
        model_version=served.release.version,
    )
