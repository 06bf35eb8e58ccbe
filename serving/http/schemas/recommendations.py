"""Recommendations: request and response."""

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
    """A movie and its rating by the user, 0.5 to 5 in steps of 0.5."""

    movie_id: Annotated[Id, Field(alias="movieId", examples=[1])]
    rating: Annotated[Stars, Field(examples=[4.5])]


class RecommendRequest(RequestBody):
    """A user, and filters on the movies to recommend.

    `ratings` are the user's ratings for this answer only; they replace those of training and of
    `POST /ratings` (of two for one movie the last counts). `genres` keeps the movies of at least
    one of these genres, `year_from` and `year_to` those of these years. `diversity` trades
    relevance for variety of genres, from 0 (none) to 1.
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
    """A recommended movie; `score` orders the answer, `predicted_rating` is the expected rating.

    `because` names the movies the user liked that contributed most to this recommendation.
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
    """The best movies first; `fallback` is true if the model was not trained on this user."""

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
