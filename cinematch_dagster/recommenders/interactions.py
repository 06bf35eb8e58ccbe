"""Training ratings as rows of sorted ids: what every algorithm starts from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from cinematch_dagster.recommenders.errors import TrainingError
from serving.base.scale import half_stars
from serving.model.profiles import Profiles
from serving.model.scoring.fold_in import ranking_weights

Codes = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Interactions:
    """Ratings of users for movies, (n,), in the order of the ratings frame.

    Attributes:
        user_ids: ids of the users with a rating, ascending, int32.
        movie_ids: ids of the catalogue, rated or not, ascending, int32.
        users: row of each rating's user in `user_ids`.
        movies: row of each rating's movie in `movie_ids`.
        stars: the ratings, float32.
        timestamps: when they were given, seconds since 1970.
    """

    user_ids: npt.NDArray[np.int32]
    movie_ids: npt.NDArray[np.int32]
    users: Codes
    movies: Codes
    stars: npt.NDArray[np.float32]
    timestamps: npt.NDArray[np.int64]

    @classmethod
    def from_frame(
        cls, ratings: pd.DataFrame, movie_ids: npt.NDArray[np.integer] | None = None
    ) -> Interactions:
        """Code a ratings frame; the catalogue is `movie_ids` and every rated movie.

        Raises:
            TrainingError: no rating, or a (userId, movieId) more than once.
        """
        if ratings.empty:
            raise TrainingError("the ratings frame is empty: at least one rating was expected")
        duplicates = int(ratings.duplicated(["userId", "movieId"]).sum())
        if duplicates:
            raise TrainingError(
                f"the ratings hold {duplicates} repeated pairs of (userId, movieId): "
                "each was expected once"
            )
        rated = ratings["movieId"].to_numpy(dtype=np.int32)
        catalogue = np.unique(rated if movie_ids is None else np.append(rated, movie_ids))
        user_ids, users = np.unique(ratings["userId"].to_numpy(np.int32), return_inverse=True)
        return cls(
            user_ids=user_ids,
            movie_ids=catalogue.astype(np.int32),
            users=users,
            movies=np.searchsorted(catalogue, rated),
            stars=ratings["rating"].to_numpy(dtype=np.float32),
            timestamps=ratings["timestamp"].to_numpy(dtype=np.int64),
        )

    @cached_property
    def matrix(self) -> sp.csr_array:
        """The stars as a sparse matrix, (n_users, n_movies), movies ascending within a user."""
        shape = (len(self.user_ids), len(self.movie_ids))
        matrix = sp.coo_array((self.stars, (self.users, self.movies)), shape=shape).tocsr()
        matrix.sort_indices()
        return matrix

    @cached_property
    def weights(self) -> sp.csr_matrix:
        """`max(r - 2, 0)` as a sparse matrix, (n_users, n_movies): how much each rating wants."""
        stars = self.matrix
        weights = ranking_weights(stars.data, 1.0)
        matrix = sp.csr_matrix((weights, stars.indices, stars.indptr), shape=stars.shape, copy=True)
        matrix.eliminate_zeros()
        return matrix

    @cached_property
    def profiles(self) -> Profiles:
        """The ratings of each user, in serving's form."""
        matrix = self.matrix
        offsets = matrix.indptr.astype(np.int64)
        return Profiles(offsets, matrix.indices, half_stars(matrix.data))

    @cached_property
    def movie_counts(self) -> npt.NDArray[np.int64]:
        """Ratings of each movie of the catalogue, (n_movies,)."""
        return np.bincount(self.movies, minlength=len(self.movie_ids))

    @cached_property
    def user_counts(self) -> npt.NDArray[np.int64]:
        """Ratings of each user, (n_users,), at least 1."""
        return np.bincount(self.users, minlength=len(self.user_ids))
