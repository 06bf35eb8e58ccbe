"""Lines of movies to rows; the first line that can't be used is named."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from cinematch_dagster.batches.frame import LARGEST_ID
from cinematch_dagster.movielens.errors import BadDatasetError
from cinematch_dagster.movielens.features import NO_GENRES
from cinematch_dagster.movielens.sources.layout import header, text_begins

MOVIE_COLUMNS: Final = ["movieId", "title", "genres"]
MOST_GENRES: Final = 100  # MovieLens has 19
LONGEST_TEXT: Final = 60  # characters of a bad value that are shown
_ID: Final = re.compile(r"([0-9]{1,10})(\.0*)?")


class _Movie(NamedTuple):
    id: int
    title: str
    genres: str


def parse_movies(path: Path) -> pd.DataFrame:
    """Read a file of movies, UTF-8 or latin-1: movieId int32, title, genres.

    Columns of a CSV file have the names of its header, in any order, others are ignored. A title
    may be in quotes, which end on their line. Lines count from 1, empty ones do not.

    Raises:
        BadDatasetError: the file holds no movie, a line has no id or title or has a NUL, an id is
            there twice, or there are more genres than is plausible.
    """
    lines = _lines(path)
    movies: dict[int, _Movie] = {}
    read = _colons if path.suffix == ".dat" else _csv
    for line, fields in read(path, lines):
        movie = _movie(path, line, fields)
        if movie.id in movies:
            raise BadDatasetError(
                f"{path}: line {line}: column movieId: {movie.id} is there twice, first as "
                f"{movies[movie.id].title!r}"
            )
        movies[movie.id] = movie
    if not movies:
        raise BadDatasetError(f"{path}: holds no movie")
    frame = pd.DataFrame(movies.values()).set_axis(MOVIE_COLUMNS, axis="columns")
    _check_genres(path, frame["genres"])
    return frame.astype({"movieId": "int32"})


def _lines(path: Path) -> list[str]:
    """Return the lines that are not empty."""
    content = path.read_bytes()[text_begins(path) :]
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return [line for line in re.split(r"\r\n|\r|\n", text) if line]


def _colons(path: Path, lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    for line, text in enumerate(lines, start=1):
        fields = text.split("::")
        if len(fields) != len(MOVIE_COLUMNS):
            raise BadDatasetError(
                f"{path}: line {line}: {_short(text)}, expected movieId, title, genres"
            )
        yield line, fields


def _csv(path: Path, lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    delimiter, names = header(path, lines[0] if lines else "", MOVIE_COLUMNS)
    places = [names.index(column) for column in MOVIE_COLUMNS]
    for line, text in enumerate(lines[1:], start=2):
        try:
            (fields,) = csv.reader([text], delimiter=delimiter, skipinitialspace=True, strict=True)
        except csv.Error as error:
            raise BadDatasetError(
                f"{path}: line {line}: {_short(text)}: {error}, expected quotes in pairs"
            ) from None
        if len(fields) < len(names) or any(fields[len(names) :]):
            raise BadDatasetError(
                f"{path}: line {line}: {_short(text)} has {len(fields)} fields, expected "
                f"{len(names)} as the header ({', '.join(names)})"
            )
        yield line, [fields[place] for place in places]


def _movie(path: Path, line: int, fields: list[str]) -> _Movie:
    found, title, genres = fields
    for column, text in zip(MOVIE_COLUMNS, fields, strict=True):
        if "\0" in text:
            raise BadDatasetError(
                f"{path}: line {line}: column {column}: {_short(text)}, expected text without NUL"
            )
    number = _ID.fullmatch(found.strip())
    if number is None or int(number[1]) > LARGEST_ID:
        raise BadDatasetError(
            f"{path}: line {line}: column movieId: {_short(found)}, expected movieId, title, "
            f"genres (movieId from 0 to {LARGEST_ID})"
        )
    if not title.strip():
        raise BadDatasetError(f"{path}: line {line}: column title: is empty, expected a title")
    return _Movie(int(number[1]), title, genres)


def _check_genres(path: Path, genres: pd.Series[str]) -> None:
    """Check that the genres are a handful, as they are not where titles stand in their place."""
    found = set(genres.str.split("|").explode().unique()) - {NO_GENRES, ""}
    if len(found) > MOST_GENRES:
        raise BadDatasetError(
            f"{path}: column genres: {len(found)} different ones, as {_short(min(found))}, "
            f"expected at most {MOST_GENRES} (separated by '|')"
        )


def _short(text: str) -> str:
    return repr(text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…")
