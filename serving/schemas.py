"""What the routes take and give."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from serving.loader import Served, Source
from serving.model import Answer, Strategy

Id = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Stars = Annotated[float, Field(ge=0.5, le=5, multiple_of=0.5, allow_inf_nan=False)]


class Given(BaseModel):
    """A part of a request: unknown keys and values of another type are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Shown(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class GivenRating(Given):
    """A movie and the stars it was given, 0.5 to 5 in half stars."""

    movie_id: Annotated[Id, Field(alias="movieId", examples=[1])]
    rating: Annotated[Stars, Field(examples=[4.5])]


def _one_each(ratings: list[GivenRating]) -> list[GivenRating]:
    if len({r.movie_id for r in ratings}) < len(ratings):
        raise ValueError("a movieId is given twice: one rating a movie was expected")
    return ratings


class RecommendRequest(Given):
    """Who asks, and for what.

    `ratings` counts from now on for this answer only, whether the user is known or not;
    `genres` keeps movies that have at least one of them.
    """

    user_id: Annotated[Id, Field(examples=[123])]
    top_k: Annotated[int, Field(ge=1, le=100, examples=[10])] = 10
    ratings: Annotated[list[GivenRating], Field(max_length=1000), AfterValidator(_one_each)] = []
    genres: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=50)]],
        Field(max_length=50, examples=[["Comedy"]]),
    ] = []


class ShownRecommendation(Shown):
    """One movie; `score` orders one answer, `predicted_rating` is the stars expected."""

    movie_id: Annotated[int, Field(serialization_alias="movieId", examples=[1])]
    title: Annotated[str, Field(examples=["Toy Story (1995)"])]
    genres: Annotated[str, Field(examples=["Animation|Children|Comedy"])]
    score: Annotated[float, Field(examples=[0.83])]
    predicted_rating: Annotated[float, Field(examples=[4.4])]
    strategy: Strategy
    reason: Annotated[
        str, Field(examples=["Closest to Monsters, Inc. (2001), one of the movies you liked."])
    ]


class Recommendations(Shown):
    """The best movies first; `fallback` is true for a user that the model does not know."""

    user_id: int
    recommendations: list[ShownRecommendation]
    fallback: bool
    strategy: Strategy
    model_version: str

    @classmethod
    def of(cls, answer: Answer, model_version: str) -> Self:
        """Return a model's answer with the version that gave it."""
        return cls(
            user_id=answer.user_id,
            recommendations=[ShownRecommendation.model_validate(r) for r in answer.recommendations],
            fallback=answer.fallback,
            strategy=answer.strategy,
            model_version=model_version,
        )


class Health(Shown):
    """The process answers; it may still be without a model."""

    status: Literal["healthy"] = "healthy"
    model_loaded: bool
    model_version: str | None


class Ready(Shown):
    """A model is loaded."""

    status: Literal["ready"] = "ready"
    model_version: str


class Reloaded(Shown):
    """The version that serves now."""

    status: Literal["Model reloaded"] = "Model reloaded"
    version: str


class ServedModel(Shown):
    """The model that serves; `source` is `local copy` until the registry has confirmed it."""

    version: str
    source: Source
    loaded_at: datetime.datetime
    week: str
    trained_at: str
    n_users: int
    n_movies: int
    n_ratings: int
    algorithm: str

    @classmethod
    def of(cls, served: Served) -> Self:
        """Describe what is in memory."""
        info = served.model.info
        return cls(
            version=served.release.version,
            source=served.source,
            loaded_at=served.loaded_at,
            week=info.week,
            trained_at=info.trained_at,
            n_users=info.n_users,
            n_movies=info.n_movies,
            n_ratings=info.n_ratings,
            algorithm=info.algorithm,
        )


class Version(Shown):
    """The service's own version, its model, and what keeps it from following the registry."""

    service: str
    model: ServedModel | None
    problem: str | None
