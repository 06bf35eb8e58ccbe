from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from serving.model.archive import write_npz
from serving.model.arrays import as_stored
from serving.model.artifact import ARRAYS, FORMAT, Arrays, Artifact, ModelInfo
from serving.model.heads import FactorRanking, FactorRating
from serving.model.profiles import Profiles

GENRES = [
    "Comedy|Western",
    "Comedy",
    "Drama",
    "Drama",
    "Drama|Western|Horror",
]


def saved_arrays(folder: Path) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a model's folder, by name."""
    with np.load(folder / ARRAYS, allow_pickle=True) as archive:
        return dict(archive)


def change_arrays(folder: Path, **changed: npt.NDArray[Any] | None) -> None:
    """Write the arrays of a model's folder anew, some of them changed; None leaves one out.

    The file is another one: the old one may be mapped.
    """
    arrays = {**saved_arrays(folder), **changed}
    (folder / ARRAYS).unlink()
    write_npz(folder / ARRAYS, {name: a for name, a in arrays.items() if a is not None})


def floats(*values: Any) -> npt.NDArray[np.float32]:
    return np.array(values, dtype=np.float32)


def hand_made() -> Artifact:
    """Five movies (nobody rated the last) and two users, so small that answers can be worked out.

    Ranking scores as listed of users 1 and 2 for movies 10 ... 40: (1, .25, .8, .65) and
    (0, 1, .8, -.6); the lists are not what the head would give, so that the two can be told apart.
    """
    arrays = Arrays(
        movie_ids=np.array([10, 20, 30, 40, 50]),
        movie_counts=np.array([3, 2, 1, 1, 0]),
        movie_damped_mean=np.array([4.0, 3.5, 3.0, 3.75, 3.625]),
        genre_movies=np.array([[g in genres for genres in GENRES] for g in ("Comedy", "Drama")]
                              + [[False, False, False, False, True]]),
        user_ids=np.array([1, 2]),
        rated_offsets=np.array([0, 1, 3]),
        rated_movies=np.array([0, 1, 2]),
        rated_halves=np.array([10, 6, 9]),
        list_movies=np.array([[3, 4, 2], [1, 4, 0]]),
        list_scores=np.array([[0.8, 0.65, 0.25], [0.0, -0.6, 0.0]]),
        list_nearest=np.array([[1, 1, 0], [3, 0, 0]]),
    )  # fmt: skip
    return Artifact(
        info=ModelInfo(FORMAT, "2024-01-01", "2024-01-08T00:00:00+00:00", 2, 5, 3, "svd+als"),
        genre_names=("Comedy", "Drama", "Horror"),
        rating=as_stored(
            FactorRating(
                global_mean=3.5,
                regularization=0.5,
                user_bias=floats(0.25, -0.5),
                user_factors=np.array([[1.0], [0.0]], dtype=np.float16),
                movie_bias=floats(0.5, 0.0, -0.5, 0.25, 0.0),
                movie_factors=floats([1.0], [0.0], [-1.0], [0.5], [0.0]),
            ),
            5,
        ),
        ranking=FactorRanking(
            regularization=1.0,
            alpha=2.0,
            movie_factors=floats([1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [0.8, -0.6], [9.0, 9.0]),
            gram=floats([2.0, 0.0], [0.0, 2.0]),
            mean=floats(0.5, 0.625),
        ),
        arrays=as_stored(arrays, 5),
        titles=pa.array([f"Title {movie}" for movie in (10, 20, 30, 40, 50)]),
        genres=pa.array(GENRES),
    )


def random_artifact(seed: int, users: int = 8, movies: int = 30) -> Artifact:
    """Random factors; user u rated movies u ... u + 3; three movies have no rating."""
    random = np.random.default_rng(seed)
    counts = random.integers(1, 20, movies)
    counts[-3:] = 0
    rated = np.arange(users)[:, np.newaxis] + np.arange(4)
    profiles = Profiles(
        np.arange(users + 1) * 4, rated.ravel(), random.integers(1, 11, rated.size, dtype=np.uint8)
    )
    factors = random.normal(size=(movies, 4)).astype(np.float32)
    ranking = FactorRanking(
        regularization=1.0,
        alpha=2.0,
        movie_factors=factors,
        gram=factors.T @ factors,
        mean=random.normal(size=4).astype(np.float32),
    )
    scores = ranking.scores(profiles)
    np.put_along_axis(scores, rated, -np.inf, axis=1)
    scores[:, -3:] = -np.inf
    lists = np.argsort(-scores, axis=1)[:, :10]
    arrays = Arrays(
        movie_ids=np.arange(movies, dtype=np.int32) * 2 + 1,
        movie_counts=counts.astype(np.int32),
        movie_damped_mean=random.uniform(2, 4.5, movies),
        genre_movies=random.random((2, movies)) < 0.5,
        user_ids=np.arange(users, dtype=np.int32) * 3 + 2,
        rated_offsets=profiles.offsets,
        rated_movies=profiles.movies,
        rated_halves=profiles.halves,
        list_movies=lists + 1,
        list_scores=np.take_along_axis(scores, lists, axis=1),
        list_nearest=random.integers(0, movies, lists.shape),
    )
    rating = FactorRating(
        global_mean=3.5,
        regularization=0.05,
        user_bias=random.normal(size=users),
        user_factors=random.normal(size=(users, 3)),
        movie_bias=random.normal(size=movies),
        movie_factors=random.normal(size=(movies, 3)),
    )
    info = ModelInfo(
        FORMAT, "2024-01-01", "2024-01-08T00:00:00+00:00", users, movies, rated.size, "random"
    )
    return Artifact(
        info=info,
        genre_names=("Comedy", "Drama"),
        rating=as_stored(rating, movies),
        ranking=as_stored(ranking, movies),
        arrays=as_stored(arrays, movies),
        titles=pa.array([f"Title {row}" for row in range(movies)]),
        genres=pa.array(["Comedy|Drama"] * movies),
    )
