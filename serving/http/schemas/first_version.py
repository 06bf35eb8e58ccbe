"""The requests of the first version."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from serving.http.schemas.base import WHOLE, Genre, Id, RequestBody, ResponseBody, TopK


class Pair(RequestBody):
    """A user and a movie."""

    user_id: Annotated[Id, Field(examples=[123])]
    movie_id: Annotated[Id, Field(examples=[1])]


class Pairs(RequestBody):
    """Up to 1,000 pairs of a user and a movie."""

    items: Annotated[list[Pair], Field(max_length=1000)]


class Predicted(ResponseBody):
    """The predicted rating, 0.5 to 5; for an unknown user or movie it is an average."""

    rating: Annotated[float, Field(examples=[3.9])]


class PredictedMany(ResponseBody):
    """The predicted ratings, in the order of the items."""

    predictions: list[float]


class TopOfGenre(RequestBody):
    """A user, and the genre of the movies to recommend."""

    user_id: Annotated[Id, Field(examples=[123])]
    genre: Annotated[Genre, Field(examples=["Comedy"])]
    top_k: TopK = 10


class TopOfTop(RequestBody):
    """A user; movies are chosen from the `pool` movies with the highest damped mean rating."""

    user_id: Annotated[Id, Field(examples=[123])]
    top_k: TopK = 10
    pool: Annotated[int, Field(ge=1, le=1000, examples=[100]), WHOLE] = 100
