"""The routes that the first version had, under the same names."""

from __future__ import annotations

from collections import defaultdict

from fastapi import APIRouter, HTTPException

from serving.http.problems import documented
from serving.http.routes.dependencies import BODY, LiveRatingsDep, ServedDep
from serving.http.schemas.first_version import (
    Pair,
    Pairs,
    Predicted,
    PredictedMany,
    TopOfGenre,
    TopOfTop,
)
from serving.http.schemas.recommendations import Recommendations
from serving.model.recommender import Filters

router = APIRouter(tags=["first version"], responses=BODY)


@router.post("/predict")
async def predict(pair: Pair, served: ServedDep, live_ratings: LiveRatingsDep) -> Predicted:
    """Predict how a user will rate a movie."""
    (rating,) = served.model.expect(pair.user_id, [pair.movie_id], live_ratings.of(pair.user_id))
    return Predicted(rating=rating)


@router.post("/predict_batch")
async def predict_batch(
    pairs: Pairs, served: ServedDep, live_ratings: LiveRatingsDep
) -> PredictedMany:
    """Predict the ratings of many pairs of a user and a movie at once."""
    places = defaultdict(list)
    for place, pair in enumerate(pairs.items):
        places[pair.user_id].append(place)
    predictions = [0.0] * len(pairs.items)
    for user_id, own in places.items():
        movies = [pairs.items[place].movie_id for place in own]
        stars = served.model.expect(user_id, movies, live_ratings.of(user_id))
        for place, rating in zip(own, stars, strict=True):
            predictions[place] = rating
    return PredictedMany(predictions=predictions)


@router.post("/predict_top_of_genre", responses=documented(_404="genre 'Opera' is not known"))
async def predict_top_of_genre(
    body: TopOfGenre, served: ServedDep, live_ratings: LiveRatingsDep
) -> Recommendations:
    """Recommend movies of one genre, as `/recommend` does; an unknown genre is 404."""
    model = served.model
    if not model.catalogue.knows_genre(body.genre):
        raise HTTPException(
            404, f"genre {body.genre!r} is not known: one of {', '.join(model.genres)} was expected"
        )
    answer = model.recommend(body.user_id, body.top_k, live_ratings.of(body.user_id), [body.genre])
    return Recommendations.of(answer, served.release.version)


@router.post("/predict_top_of_top")
async def predict_top_of_top(
    body: TopOfTop, served: ServedDep, live_ratings: LiveRatingsDep
) -> Recommendations:
    """Recommend the best for this user among the movies with the highest damped mean rating."""
    answer = served.model.recommend(
        body.user_id,
        body.top_k,
        live_ratings.of(body.user_id),
        filters=Filters(most_popular=body.pool),
    )
    return Recommendations.of(answer, served.release.version)
