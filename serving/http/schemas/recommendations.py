"""Recommendations: who asks for what, and what is answered."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field

from serving.experiments.experiment import Arm
from serving.http.schemas.base import (
    Genre,
    Id,
    MovieBody,
    RequestBody,
    ResponseBody,
    Stars,
    TopK,
    Year,
)
from serving.model.answers.types import Answer, Strategy
from serving.model.recommender import ANYTHING, Filters


class GivenRating(RequestBody):
    """A movie and the stars it was given, 0.5 to 5 in half stars."""

    movie_id: Annotated[Id, Field(alias="movieId", examples=[1])]
    rating: Annotated[Stars, Field(examples=[4.5])]


class RecommendRequest(RequestBody):
    """Who asks, and for what.

    `ratings` counts for this answer only, over those of training and of
    `POST /ratings` (of two for one movie the last); `genres`
    keeps movies that have at least one of them, the years those from and to them, and `diversity`
    gives up relevance for variety of genres, from 0 (not at all) to 1.
    """

    user_id: Annotated[Id, Field(examples=[123])]
    top_k: TopK = 10
    ratings: Annotated[list[GivenRating], Field(default_factory=list, max_length=1000)]
    genres: Annotated[
        list[Genre],
        Field(default_factory=list, max_length=50, examples=[["Comedy"]]),
    ]
    year_from: Annotated[Year | None, Field(examples=[1990])] = None
    year_to: Annotated[Year | None, Field(examples=[2005])] = None
    diversity: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, examples=[0.3])] = 0.0

    @property
    def filters(self) -> Filters:
        """What is wanted beside genres."""
        if self.year_from is None and self.year_to is None and self.diversity == 0:
            return ANYTHING
        return Filters(self.year_from, self.year_to, diversity=self.diversity)


class ShownRecommendation(MovieBody):
    """One movie; `score` orders one answer, `predicted_rating` is the stars expected.

    `because` names the movies that this user liked and that are most similar to it.
    """

    genres: Annotated[str, Field(examples=["Animation|Children|Comedy"])]
    score: Annotated[float, Field(examples=[0.83])]
    predicted_rating: Annotated[float, Field(examples=[4.4])]
    strategy: Strategy
    reason: Annotated[
        str, Field(examples=["Closest to Monsters, Inc. (2001), one of the movies you liked."])
    ]
    because: list[MovieBody]


class Recommendations(ResponseBody):
    """The best movies first; `fallback` is true for a user that the model does not know."""

    user_id: int
    recommendations: list[ShownRecommendation]
    fallback: bool
    strategy: Strategy
    model_version: str
    arm: Arm

    @classmethod
    def of(cls, answer: Answer, model_version: str, arm: Arm = "production") -> Self:
        """Return a model's answer with the version and the arm that gave it."""
        return cls(
            user_id=answer.user_id,
            recommendations=[ShownRecommendation.model_validate(r) for r in answer.recommendations],
            fallback=answer.fallback,
            strategy=answer.strategy,
            model_version=model_version,
            arm=arm,
        )
