"""The catalogue: search, one movie, similar movies."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query

from serving.follow.loader import Served
from serving.http.problems import documented
from serving.http.routes.dependencies import NO_MODEL, ServedDep
from serving.http.schemas.base import Id
from serving.http.schemas.movies import (
    Alike,
    AlikeMovie,
    AlikeMovies,
    CatalogueMovie,
    Movies,
    Search,
)
from serving.model.recommender import both

MovieId = Annotated[Id, Path(examples=[1])]
REFUSALS = documented(_422="the request is not valid", _503=NO_MODEL)
UNKNOWN = documented(_404="movie 7 is not in the catalogue")

router = APIRouter(prefix="/movies", tags=["movies"])


@router.get("", responses=REFUSALS)
async def search(asked: Annotated[Search, Query()], served: ServedDep) -> Movies:
    """Search movies by words of the title (typing errors allowed), genres and years."""
    catalogue = served.model.catalogue
    allowed = both(
        catalogue.of_genres(asked.genre), catalogue.of_years(asked.year_from, asked.year_to)
    )
    found = await asyncio.to_thread(catalogue.search, asked.query, allowed, asked.top_k)
    return Movies(
        movies=[CatalogueMovie.model_validate(movie) for movie in found],
        model_version=served.release.version,
    )


@router.get("/{movie_id}", responses=REFUSALS | UNKNOWN)
async def movie(movie_id: MovieId, served: ServedDep) -> CatalogueMovie:
    """Return one movie of the catalogue."""
    return CatalogueMovie.model_validate(served.model.catalogue.movie(_row(movie_id, served)))


@router.get("/{movie_id}/similar", responses=REFUSALS | UNKNOWN)
async def similar(
    movie_id: MovieId, asked: Annotated[Alike, Query()], served: ServedDep
) -> AlikeMovies:
    """Return the movies that are most similar to a movie, by the ratings of users who liked it."""
    row = _row(movie_id, served)
    found = await asyncio.to_thread(served.model.similar, movie_id, asked.top_k)
    return AlikeMovies(
        movie=served.model.catalogue.movie(row),
        similar=[AlikeMovie.of(like, score) for like, score in found],
        model_version=served.release.version,
    )


def _row(movie_id: int, served: Served) -> int:
    row = served.model.catalogue.row(movie_id)
    if row < 0:
        raise HTTPException(404, f"movie {movie_id} is not in the catalogue")
    return row
