"""What the parts of requests and answers have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from serving.base.scale import HIGHEST, LOWEST, STEP


def _whole(value: object) -> object:
    """Read 10.0 as 10: to JSON both are the same integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _half_stars(value: float) -> float:
    """Refuse what is near a half star only: pydantic's `multiple_of` lets 3.9999999 pass."""
    if not (value / STEP).is_integer():
        raise PydanticCustomError("multiple_of", f"Input should be a multiple of {STEP}")
    return value


WHOLE = BeforeValidator(_whole)

Id = Annotated[int, Field(gt=-(2**53), lt=2**53), WHOLE]
"""The id of a user or movie, known to the model or not. JSON keeps integers up to here exact."""
StoredId = Annotated[int, Field(ge=1, lt=2**31), WHOLE]
"""The id of a user or movie in a stored rating."""
Stars = Annotated[
    float,
    Field(ge=LOWEST, le=HIGHEST, allow_inf_nan=False, json_schema_extra={"multipleOf": STEP}),
    AfterValidator(_half_stars),
]
TopK = Annotated[int, Field(ge=1, le=100, examples=[10]), WHOLE]
Year = Annotated[int, Field(ge=1800, le=2200), WHOLE]
Genre = Annotated[str, Field(min_length=1, max_length=50)]


class RequestBody(BaseModel):
    """Base of request bodies: unknown keys and values of another type are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class QueryParams(BaseModel):
    """Base of query parameters: unknown names are refused; numbers are written as text."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ResponseBody(BaseModel):
    """Base of response bodies."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class MovieBody(ResponseBody):
    """The id and title of a movie."""

    movie_id: Annotated[int, Field(serialization_alias="movieId", examples=[1])]
    title: Annotated[str, Field(examples=["Toy Story (1995)"])]
