"""The requests of the first version."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from serving.http.schemas.base import WHOLE, Genre, Id, RequestBody, ResponseBody, TopK


class Pair(RequestBody):
    """Whose stars for which movie."""

    user_id: Annotated[Id, Field(examples=[123])]
    movie_id: Annotated[Id, Field(examples=[1])]


class Pairs(RequestBody):
    """Many at once."""

    items: Annotated[list[Pair], Field(max_length=1000)]


class Predicted(ResponseBody):
    """Stars expected, 0.5 to 5; an unknown user or movie gets the mean of what is known."""

    rating: Annotated[float, Field(examples=[3.9])]


class PredictedMany(ResponseBody):
    """Stars expected, in the order of the items."""

    predictions: list[float]


class TopOfGenre(RequestBody):
    """The best movies of one genre for a user."""

    user_id: Annotated[Id, Field(examples=[123])]
    genre: Annotated[Genre, Field(examples=["Comedy"])]
    top_k: TopK = 10


class TopOfTop(RequestBody):
    """A user's best of the `pool` movies with the highest damped mean."""

    user_id: Annotated[Id, Field(examples=[123])]
    top_k: TopK = 10
    pool: Annotated[int, Field(ge=1, le=1000, examples=[100]), WHOLE] = 100
