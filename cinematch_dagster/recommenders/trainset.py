"""Surprise's training set over arrays instead of dictionaries of lists of tuples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import surprise

RATING_SCALE = (0.5, 5.0)
_BLOCK = 100_000

Integers = npt.NDArray[np.integer]
Stars = npt.NDArray[np.float64]


class _Rows(Mapping[int, list[tuple[int, float]]]):
    """Inner id to its list of (other inner id, rating), cut from arrays when asked for."""

    def __init__(self, owners: Integers, others: Integers, ratings: Stars, size: int) -> None:
        order = np.argsort(owners, kind="stable")
        self.others, self.ratings = others[order], ratings[order]
        self.offsets = np.concatenate(([0], np.cumsum(np.bincount(owners, minlength=size))))

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


class ArrayTrainset(surprise.Trainset):  # type: ignore[misc]
    """The training set that `Dataset.load_from_df(...).build_full_trainset()` would give.

    Inner ids are in order of first appearance, and ratings are visited user by user in the order
    given, so that every algorithm of Surprise predicts the very same; building takes a
    factorization and a stable sort.

    Args:
        user_ids: raw id of each rating's user, (n,).
        movie_ids: raw id of each rating's movie, (n,).
        stars: the ratings, (n,).
    """

    def __init__(
        self, user_ids: Integers, movie_ids: Integers, stars: npt.NDArray[np.floating]
    ) -> None:
        users, self.raw_users = pd.factorize(user_ids)
        movies, self.raw_movies = pd.factorize(movie_ids)
        ratings = stars.astype(np.float64)
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
        self._global_mean = self.ur.ratings.mean()

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
