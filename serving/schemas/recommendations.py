"""Recommendations: who asks for what, and what is answered."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field

from serving.answers import Answer, Strategy
from serving.schemas.base import Genre, Given, Id, Shown, Stars, TopK


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
    top_k: TopK = 10
    ratings: Annotated[
        list[GivenRating],
        Field(default_factory=list, max_length=1000),
        AfterValidator(_one_each),
    ]
    genres: Annotated[
        list[Genre],
        Field(default_factory=list, max_length=50, examples=[["Comedy"]]),
    ]


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
