"""The ratings of many users as flat arrays, a stretch for each user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from serving.base.scale import STEP, half_stars
from serving.model.arrays import Floats, Offsets, Rows
from serving.model.scoring.fold_in import NEUTRAL_STARS

HALF = np.float32(STEP)


@dataclass(frozen=True, slots=True)
class Profiles:
    """User `u` rated `movies[offsets[u]:offsets[u + 1]]`.

    Attributes:
        offsets: (n + 1,).
        movies: rows of movies, ascending within a user.
        halves: their ratings in half stars, 1 to 10.
    """

    offsets: Offsets
    movies: Rows
    halves: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, owners: Rows, movies: Rows, stars: npt.NDArray[np.floating], n: int) -> Self:
        """Sort ratings (m,) of n users; of a movie rated twice by one, the last counts."""
        order = np.lexsort((movies, owners))
        owners, movies = owners[order], movies[order]
        last = np.ones(len(order), dtype=np.bool_)
        last[:-1] = (owners[1:] != owners[:-1]) | (movies[1:] != movies[:-1])
        halves = half_stars(stars[order][last])
        offsets = np.concatenate(([0], np.cumsum(np.bincount(owners[last], minlength=n))))
        return cls(offsets, movies[last], halves)

    @classmethod
    def single(cls, ratings: Mapping[int, float]) -> Self:
        """Return one user's, from row of a movie to stars."""
        movies = np.fromiter(ratings.keys(), dtype=np.intp, count=len(ratings))
        stars = np.fromiter(ratings.values(), dtype=np.float32, count=len(ratings))
        return cls.of(np.zeros_like(movies), movies, stars, 1)

    def __len__(self) -> int:
        """Count the users."""
        return len(self.offsets) - 1

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """Ratings of each user, (n,)."""
        return np.diff(self.offsets)

    @property
    def telling(self) -> npt.NDArray[np.int64]:
        """Ratings of each user that say what to recommend: above `NEUTRAL_STARS`, (n,)."""
        high = np.concatenate(([0], np.cumsum(self.halves * HALF > NEUTRAL_STARS)))
        return np.diff(high[self.offsets])

    def rated(self, user: int) -> Rows:
        """Return the rows of the movies that a user rated, ascending; none for user -1."""
        return self.movies[self._stretch(user)]

    def stars(self, user: int) -> Floats:
        """Return a user's ratings, in the order of `rated`."""
        return self.halves[self._stretch(user)] * HALF

    def take(self, users: Rows) -> Profiles:
        """Return the profiles of some users, in this order; -1 has no rating."""
        padded = np.append(self.offsets, self.offsets[-1])  # -1 is the stretch past the end
        starts = padded[users]
        counts = padded[np.where(users < 0, -1, users + 1)] - starts
        offsets = np.concatenate(([0], np.cumsum(counts)))
        places = np.repeat(starts - offsets[:-1], counts) + np.arange(offsets[-1])
        return Profiles(offsets, self.movies[places], self.halves[places])

    def owners(self) -> npt.NDArray[np.intp]:
        """Return the user of each rating, (m,)."""
        return np.repeat(np.arange(len(self)), self.counts)

    def with_ratings(self, owners: Rows, movies: Rows, stars: Floats) -> Profiles:
        """Return the profiles with more ratings, which replace those of the same movies."""
        return Profiles.of(
            np.concatenate((self.owners(), owners)),
            np.concatenate((self.movies.astype(np.intp), movies)),
            np.concatenate((self.halves * HALF, stars)),
            len(self),
        )

    def _stretch(self, user: int) -> slice:
        return slice(*self.offsets[user : user + 2]) if user >= 0 else slice(0)
