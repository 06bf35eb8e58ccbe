"""The movies of a model: names, genres, years, popularity; nothing of users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from serving.base.titles import YEAR, year_of
from serving.model.artifact import Artifact
from serving.model.id_index import find
from serving.model.search import TitleIndex

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Movie:
    """One movie.

    Attributes:
        movie_id: MovieLens id.
        title: with the year, as MovieLens writes it.
        genres: pipe-separated.
        year: where the title has one.
        n_ratings: in training; a movie without any is in no list of the popular.
        mean_rating: damped, in stars; None without a rating.
    """

    movie_id: int
    title: str
    genres: str
    year: int | None
    n_ratings: int
    mean_rating: float | None


class Catalogue:
    """Movies are rows, in ascending order of their ids."""

    def __init__(self, artifact: Artifact) -> None:
        arrays = artifact.arrays
        self.movie_ids = arrays.movie_ids
        self.titles: pa.StringArray = artifact.titles
        self._genre_texts: list[str] = artifact.genres.to_pylist()
        self.counts = arrays.movie_counts
        self.means = arrays.movie_damped_mean
        self.genre_movies = arrays.genre_movies
        self.popular = np.argsort(-self.means, kind="stable")
        """Rows of the movies with a training rating, the best damped mean first."""
        self.popular = self.popular[self.counts[self.popular] > 0]
        self._genre_rows = {g.casefold(): row for row, g in enumerate(artifact.genre_names)}

    @cached_property
    def index(self) -> TitleIndex:
        """The words of the titles; made on first use, which takes about 20 µs a movie."""
        return TitleIndex(self._names)

    @cached_property
    def _names(self) -> list[str]:
        """The titles as answers need them: from Arrow each costs a microsecond at every answer."""
        names: list[str] = self.titles.to_pylist()
        return names

    def prepare(self, before: Catalogue | None) -> None:
        """Make what the first answers need, or take it from a catalogue of the same titles."""
        source = before if before is not None and before.titles.equals(self.titles) else self
        self._names, self.index = source._names, source.index

    @cached_property
    def years(self) -> npt.NDArray[np.int16]:
        """The year of each movie, 0 for none, (n_movies,)."""
        found = pc.extract_regex(self.titles, YEAR)
        years = pc.fill_null(pc.struct_field(found, "year").cast(pa.int16()), 0)
        return np.asarray(years.to_numpy(zero_copy_only=False), dtype=np.int16)

    def row(self, movie_id: int) -> int:
        """Return a movie's row, or -1."""
        return find(self.movie_ids, movie_id)

    def title(self, row: int) -> str:
        """Return a movie's title."""
        return self._names[row]

    def genre_text(self, row: int) -> str:
        """Return a movie's genres, pipe-separated."""
        return self._genre_texts[row]

    def movie(self, row: int) -> Movie:
        """Return what is known of a movie."""
        count, title = int(self.counts[row]), self.title(row)
        return Movie(
            int(self.movie_ids[row]),
            title,
            self.genre_text(row),
            year_of(title),
            count,
            float(self.means[row]) if count else None,
        )

    def knows_genre(self, name: str) -> bool:
        """Whether there is such a genre, in any case of letters."""
        return name.casefold() in self._genre_rows

    def of_genres(self, names: Sequence[str]) -> Mask | None:
        """Return which movies have one of the genres, or None when none of them is known."""
        folded = (name.casefold() for name in names)
        rows = [self._genre_rows[name] for name in folded if name in self._genre_rows]
        return np.logical_or.reduce(self.genre_movies[rows]) if rows else None

    def of_years(self, first: int | None, last: int | None) -> Mask | None:
        """Return which movies are of these years, both included, or None for all."""
        if first is None and last is None:
            return None
        lowest = 1 if first is None else first
        highest = np.iinfo(np.int16).max if last is None else last
        return np.asarray((self.years >= lowest) & (self.years <= highest))

    def search(self, query: str, allowed: Mask | None, most: int) -> list[Movie]:
        """Return the movies whose titles match, best first; all by popularity without a query."""
        rows: Rows = self.index.find(query)[0] if query.strip() else self.popular
        if allowed is not None:
            rows = rows[allowed[rows]]
        return [self.movie(row) for row in rows[:most].tolist()]

    def genre_likeness(self, row: int) -> npt.NDArray[np.float32]:
        """Return the share of genres that each movie has in common with one, 0 to 1 (Jaccard)."""
        own = self.genre_movies[:, row]
        common = np.count_nonzero(self.genre_movies & own[:, np.newaxis], axis=0)
        either = np.count_nonzero(self.genre_movies | own[:, np.newaxis], axis=0)
        return np.asarray(common / np.maximum(either, 1), dtype=np.float32)
