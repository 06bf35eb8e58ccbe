"""The catalogue: search, one movie, similar movies; and what is known of a user."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field

from serving.http.schemas.base import Genre, MovieBody, QueryParams, ResponseBody, TopK, Year
from serving.model.catalogue import Movie


class Search(QueryParams):
    """`query` holds words of a title, typing errors allowed; empty, it finds the most popular."""

    query: Annotated[str, Field(max_length=200, examples=["toy stroy"])] = ""
    genre: Annotated[list[Genre], Field(default_factory=list, max_length=50)]
    year_from: Year | None = None
    year_to: Year | None = None
    top_k: TopK = 10


class Alike(QueryParams):
    """How many similar movies to return."""

    top_k: TopK = 10


class CatalogueMovie(MovieBody):
    """A movie of the catalogue; `mean_rating` is damped, and null if nobody rated the movie."""

    genres: Annotated[str, Field(examples=["Animation|Children|Comedy"])]
    year: int | None
    n_ratings: int
    mean_rating: float | None


class Movies(ResponseBody):
    """Movies, the best match first."""

    movies: list[CatalogueMovie]
    model_version: str


class AlikeMovie(CatalogueMovie):
    """A similar movie; a higher `score` is more similar, and comparable within one answer only."""

    score: float

    @classmethod
    def of(cls, movie: Movie, score: float) -> Self:
        """Return a movie with its score."""
        shown = CatalogueMovie.model_validate(movie)
        return cls(**shown.model_dump(), score=score)


class AlikeMovies(ResponseBody):
    """The movies that are most similar to `movie`, the most similar first."""

    movie: MovieBody
    similar: list[AlikeMovie]
    model_version: str


class RatedMovie(MovieBody):
    """A movie that a user rated; `source` is `live` if the model was not trained on this rating."""

    rating: float
    source: Literal["training", "live"]


class User(ResponseBody):
    """The ratings of a user; `known` is whether the model was trained on this user.

    `ratings` holds the highest first, at most 1,000; `genres` those that the user rates most often.
    """

    user_id: int
    known: bool
    n_ratings: int
    mean_rating: float | None
    genres: list[str]
    ratings: list[RatedMovie]
    model_version: str
