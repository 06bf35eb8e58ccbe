"""Surprise's training set over arrays instead of dictionaries of lists of tuples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
import surprise

from cinematch_dagster.recommenders.interactions import Interactions
from serving.base.scale import HIGHEST, LOWEST

RATING_SCALE = (LOWEST, HIGHEST)
_BLOCK = 100_000

Integers = npt.NDArray[np.integer]
Stars = npt.NDArray[np.float64]
Halves = npt.NDArray[np.float32]
"""Half stars, which float32 holds exactly."""


class _Rows(Mapping[int, list[tuple[int, float]]]):
    """Inner id to its list of (other inner id, rating), cut from arrays when asked for."""

    def __init__(self, owners: Integers, others: Integers, ratings: Halves, size: int) -> None:
        order, self.offsets = _grouped(owners, size)
        self.others, self.ratings = others[order], ratings[order]

    def __getitem__(self, inner: int) -> list[tuple[int, float]]:
        if inner not in self:
            raise KeyError(inner)
        row = slice(self.offsets[inner], self.offsets[inner + 1])
        return list(zip(self.others[row].tolist(), self.ratings[row].tolist(), strict=True))

    def __contains__(self, inner: object) -> bool:
        return isinstance(inner, int) and 0 <= inner < len(self)

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self)))

    def __len__(self) -> int:
        return len(self.offsets) - 1


def _grouped(owners: Integers, size: int) -> tuple[Integers, Integers]:
    """Return the places of the ratings owner by owner, and where each owner's begin, (size + 1,).

    One row of a sparse matrix with a column for each owner, turned by columns, is a counting
    sort: it keeps the order within an owner, and takes a pass instead of a sort.
    """
    places = np.arange(len(owners), dtype=np.int32)
    by_owner = sp.csr_array((places, owners, [0, len(owners)]), shape=(1, size)).tocsc()
    return by_owner.data, by_owner.indptr.astype(np.int64)


class ArrayTrainset(surprise.Trainset):  # type: ignore[misc]
    """The training set that `Dataset.load_from_df(...).build_full_trainset()` would give.

    Inner ids are in order of first appearance, and ratings are visited user by user in the order
    given, so that every algorithm of Surprise predicts the very same; building takes a
    factorization and a counting sort.

    Args:
        user_ids: raw id of each rating's user, (n,).
        movie_ids: raw id of each rating's movie, (n,).
        stars: the ratings, (n,).
    """

    def __init__(
        self, user_ids: Integers, movie_ids: Integers, stars: npt.NDArray[np.floating]
    ) -> None:
        users, self.raw_users = _numbered(user_ids)
        movies, self.raw_movies = _numbered(movie_ids)
        ratings = stars.astype(np.float32, copy=False)
        super().__init__(
            ur=_Rows(users, movies, ratings, len(self.raw_users)),
            ir=_Rows(movies, users, ratings, len(self.raw_movies)),
            n_users=len(self.raw_users),
            n_items=len(self.raw_movies),
            n_ratings=len(ratings),
            rating_scale=RATING_SCALE,
            raw2inner_id_users={raw: inner for inner, raw in enumerate(self.raw_users.tolist())},
            raw2inner_id_items={raw: inner for inner, raw in enumerate(self.raw_movies.tolist())},
        )
        self._global_mean = self.ur.ratings.mean(dtype=np.float64)

    @classmethod
    def of(cls, interactions: Interactions) -> Self:
        """Return the training set of interactions, in the order of their frame."""
        users = interactions.user_ids[interactions.users]
        return cls(users, interactions.movie_ids[interactions.movies], interactions.stars)

    def users_in(self, ids: Integers, values: npt.NDArray[np.floating]) -> Stars:
        """Put values by inner user at the rows of ascending ids that hold each; 0 elsewhere."""
        return _placed(values, self.raw_users, ids)

    def movies_in(self, ids: Integers, values: npt.NDArray[np.floating]) -> Stars:
        """Put values by inner movie at the rows of ascending ids that hold each; 0 elsewhere."""
        return _placed(values, self.raw_movies, ids)

    def all_ratings(self) -> Iterator[tuple[int, int, float]]:
        """Yield (user, movie, rating) with inner ids, user by user."""
        users = np.repeat(np.arange(self.n_users), np.diff(self.ur.offsets))
        for start in range(0, self.n_ratings, _BLOCK):
            block = slice(start, start + _BLOCK)
            yield from zip(
                users[block].tolist(),
                self.ur.others[block].tolist(),
                self.ur.ratings[block].tolist(),
                strict=True,
            )


def _numbered(ids: Integers) -> tuple[npt.NDArray[np.int32], Integers]:
    """Return the inner id of each raw id, in order of first appearance, and the raw ids."""
    inner, raw = pd.factorize(ids)
    return inner.astype(np.int32), raw


def _placed(values: npt.NDArray[np.floating], raw: Integers, ids: Integers) -> Stars:
    placed = np.zeros((len(ids), *values.shape[1:]))
    placed[np.searchsorted(ids, raw)] = values
    return placed
