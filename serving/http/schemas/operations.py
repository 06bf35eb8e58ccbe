"""Operations: health, readiness, the model that serves, a reload."""

from __future__ import annotations

import datetime
from typing import Literal, Self

from serving.follow.loader import Served, Source
from serving.http.schemas.base import ResponseBody


class Health(ResponseBody):
    """The process is alive; `model_loaded` is false until a model has been loaded."""

    status: Literal["healthy"] = "healthy"
    model_loaded: bool
    model_version: str | None


class Ready(ResponseBody):
    """A model is loaded, and recommendations are answered."""

    status: Literal["ready"] = "ready"
    model_version: str


class Reloaded(ResponseBody):
    """The version of the model that was loaded."""

    status: Literal["Model reloaded"] = "Model reloaded"
    version: str


class ServedModel(ResponseBody):
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


class Version(ResponseBody):
    """The version of the service, its model, and why it can't follow the registry, if so."""

    service: str
    model: ServedModel | None
    problem: str | None
