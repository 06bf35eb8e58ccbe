"""Ratings given through the API: request and response."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from serving.http.schemas.base import QueryParams, RequestBody, ResponseBody, Stars, StoredId


class RatingRequest(RequestBody):
    """A user's rating of a movie, 0.5 to 5 in steps of 0.5; it replaces an earlier one."""

    user_id: Annotated[StoredId, Field(examples=[123])]
    movie_id: Annotated[StoredId, Field(alias="movieId", examples=[1])]
    rating: Annotated[Stars, Field(examples=[4.5])]


class Withdrawal(QueryParams):
    """The user whose rating is withdrawn."""

    user_id: Annotated[StoredId, Field(examples=[123])]


class StoredRating(ResponseBody):
    """The rating that counts from now on; `rating` is null if it was withdrawn."""

    user_id: int
    movie_id: Annotated[int, Field(serialization_alias="movieId")]
    rating: float | None
