"""Ratings given now."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from serving.http.schemas.base import QueryParams, RequestBody, ResponseBody, Stars, StoredId


class RatingRequest(RequestBody):
    """A user's stars for a movie, 0.5 to 5 in half stars; they replace what was given before."""

    user_id: Annotated[StoredId, Field(examples=[123])]
    movie_id: Annotated[StoredId, Field(alias="movieId", examples=[1])]
    rating: Annotated[Stars, Field(examples=[4.5])]


class Withdrawal(QueryParams):
    """Whose rating is taken back."""

    user_id: Annotated[StoredId, Field(examples=[123])]


class StoredRating(ResponseBody):
    """What counts from now on; `rating` is null when it was taken back."""

    user_id: int
    movie_id: Annotated[int, Field(serialization_alias="movieId")]
    rating: float | None
