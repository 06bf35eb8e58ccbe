"""What the routes get from the application."""

from __future__ import annotations

from typing import Annotated, NamedTuple, Self

from fastapi import Depends, HTTPException, Request

from serving.experiments.answer_log import AnswerLog
from serving.experiments.experiment import Experiment
from serving.follow.loader import Loader, Served
from serving.http.problems import documented
from serving.live import LiveRatings

NO_MODEL = "no model is loaded yet: none has reached production, or the registry is out of reach"

NOT_VALID = "the request is not valid"
BODY = documented(
    _400="the body is not JSON in UTF-8",
    _408="the body did not arrive within 10 seconds",
    _413="the body is longer than 100000 bytes",
    _422=NOT_VALID,
    _503=NO_MODEL,
)
"""What may be wrong with a request that has a body."""


async def _loader(request: Request) -> Loader:
    loader: Loader = request.app.state.loader
    return loader


LoaderDep = Annotated[Loader, Depends(_loader)]


async def _served(loader: LoaderDep) -> Served:
    if loader.served is None:
        raise HTTPException(503, NO_MODEL)
    return loader.served


ServedDep = Annotated[Served, Depends(_served)]


async def _recent(request: Request) -> LiveRatings:
    live_ratings: LiveRatings = request.app.state.live_ratings
    return live_ratings


LiveRatingsDep = Annotated[LiveRatings, Depends(_recent)]


class Answering(NamedTuple):
    """What `/recommend` needs: taken from the request, as a dependency costs each some 40 µs."""

    experiment: Experiment
    live_ratings: LiveRatings
    log: AnswerLog

    @classmethod
    def of(cls, request: Request) -> Self:
        """Return what the request's application has."""
        state = request.app.state
        return cls(state.experiment, state.live_ratings, state.answer_log)
