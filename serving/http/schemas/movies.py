"""Movies: searched for, looked at, and alike; and what is known of a user."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field

from serving.http.schemas.base import Genre, MovieBody, QueryParams, ResponseBody, TopK, Year
from serving.model.catalogue import Movie


class Search(QueryParams):
    """Words of a title, spelt roughly right; without any the most popular movies."""

    query: Annotated[str, Field(max_length=200, examples=["toy stroy"])] = ""
    genre: Annotated[list[Genre], Field(default_factory=list, max_length=50)]
    year_from: Year | None = None
    year_to: Year | None = None
    top_k: TopK = 10


class Alike(QueryParams):
    """How many movies are wanted."""

    top_k: TopK = 10


class CatalogueMovie(MovieBody):
    """A movie of the catalogue; `mean_rating` is damped, and null without a rating."""

    genres: Annotated[str, Field(examples=["Animation|Children|Comedy"])]
    year: int | None
    n_ratings: int
    mean_rating: float | None


class Movies(ResponseBody):
    """Movies, the best match first."""

    movies: list[CatalogueMovie]
    model_version: str


class AlikeMovie(CatalogueMovie):
    """`score` orders one answer, the most similar first; it has no unit."""

    score: float

    @classmethod
    def of(cls, movie: Movie, score: float) -> Self:
        """Return a movie with its score."""
        shown = CatalogueMovie.model_validate(movie)
        return cls(**shown.model_dump(), score=score)


class AlikeMovies(ResponseBody):
    """The movies most like one, the most alike first."""

    movie: MovieBody
    similar: list[AlikeMovie]
    model_version: str


class RatedMovie(MovieBody):
    """A movie that a user rated; `source` is `live` when the model was not trained on it."""

    rating: float
    source: Literal["training", "live"]


class User(ResponseBody):
    """What is known of a user: `known` to the model or not, and the ratings that count.

    `ratings` are the highest first, at most 1,000 of them; `genres` those that the user rates most.
    """

    user_id: int
    known: bool
    n_ratings: int
    mean_rating: float | None
    genres: list[str]
    ratings: list[RatedMovie]
    model_version: str
