from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from serving.artifact import FORMAT, SPECS, Arrays, Artifact, ModelInfo, Parameters

GENRES = [
    "Comedy|Western",
    "Comedy",
    "Drama",
    "Drama",
    "Drama|Western|Horror",
]


def floats(*values: Any) -> npt.NDArray[np.float32]:
    return np.array(values, dtype=np.float32)


def as_arrays(**values: Any) -> Arrays:
    """Give every array its dtype."""
    return Arrays(**{name: np.asarray(values[name], dtype=SPECS[name][0]) for name in values})


def hand_made() -> Artifact:
    """Five movies (nobody rated the last) and two users, so small that answers can be worked out.

    Ranking scores of users 1 and 2 for movies 10 ... 40: (1, .25, .8, .65) and (0, 1, .8, -.6).
    """
    arrays = as_arrays(
        movie_ids=np.array([10, 20, 30, 40, 50]),
        movie_counts=np.array([3, 2, 1, 1, 0]),
        movie_damped_mean=np.array([4.0, 3.5, 3.0, 3.75, 3.625]),
        movie_bias=np.array([0.5, 0.0, -0.5, 0.25, 0.0]),
        movie_factors=np.array([[1.0], [0.0], [-1.0], [0.5], [0.0]]),
        movie_ranking=np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [0.8, -0.6], [9.0, 9.0]]),
        ranking_gram=np.array([[2.0, 0.0], [0.0, 2.0]]),
        ranking_mean=np.array([0.5, 0.625]),
        genre_movies=np.array([[g in genres for genres in GENRES] for g in ("Comedy", "Drama")]
                              + [[False, False, False, False, True]]),
        user_ids=np.array([1, 2]),
        user_bias=np.array([0.25, -0.5]),
        user_factors=np.array([[1.0], [0.0]]),
        user_ranking=np.array([[1.0, 0.25], [0.0, 1.0]]),
        rated_offsets=np.array([0, 1, 3]),
        rated_movies=np.array([0, 1, 2]),
        rated_halves=np.array([10, 6, 9]),
        list_movies=np.array([[2, 3, 1], [0, 3, -1]]),
        list_scores=np.array([[0.8, 0.65, 0.25], [0.0, -0.6, 0.0]]),
        list_nearest=np.array([[0, 0, -1], [2, -1, -1]]),
    )  # fmt: skip
    return Artifact(
        info=ModelInfo(FORMAT, "2024-01-01", "2024-01-08T00:00:00+00:00", 2, 5, 3, "svd+als"),
        parameters=Parameters(
            global_mean=3.5,
            rating_regularization=0.5,
            ranking_regularization=1.0,
            ranking_alpha=2.0,
            genres=("Comedy", "Drama", "Horror"),
        ),
        arrays=arrays,
        titles=pa.array([f"Title {movie}" for movie in (10, 20, 30, 40, 50)]),
        genres=pa.array(GENRES),
    )


def random_artifact(seed: int, users: int = 8, movies: int = 30) -> Artifact:
    """Random factors; user u rated movies u ... u + 3; three movies have no rating."""
    random = np.random.default_rng(seed)
    ranking = random.normal(size=(movies, 4))
    vectors = random.normal(size=(users, 4))
    counts = random.integers(1, 20, movies)
    counts[-3:] = 0
    scores = vectors @ ranking.T
    rated = np.arange(users)[:, np.newaxis] + np.arange(4)
    np.put_along_axis(scores, rated, -np.inf, axis=1)
    scores[:, -3:] = -np.inf
    lists = np.argsort(-scores, axis=1)[:, :10]
    arrays = as_arrays(
        movie_ids=np.arange(movies) * 2 + 1,
        movie_counts=counts,
        movie_damped_mean=random.uniform(2, 4.5, movies),
        movie_bias=random.normal(size=movies),
        movie_factors=random.normal(size=(movies, 3)),
        movie_ranking=ranking,
        ranking_gram=ranking.T @ ranking,
        ranking_mean=vectors.mean(axis=0),
        genre_movies=random.random((2, movies)) < 0.5,
        user_ids=np.arange(users) * 3 + 2,
        user_bias=random.normal(size=users),
        user_factors=random.normal(size=(users, 3)),
        user_ranking=vectors,
        rated_offsets=np.arange(users + 1) * 4,
        rated_movies=rated.ravel(),
        rated_halves=random.integers(1, 11, rated.size),
        list_movies=lists,
        list_scores=np.take_along_axis(scores, lists, axis=1),
        list_nearest=random.integers(-1, movies, lists.shape),
    )
    info = ModelInfo(
        FORMAT, "2024-01-01", "2024-01-08T00:00:00+00:00", users, movies, rated.size, "random"
    )
    return Artifact(
        info=info,
        parameters=Parameters(3.5, 0.05, 1.0, 2.0, ("Comedy", "Drama")),
        arrays=arrays,
        titles=pa.array([f"Title {row}" for row in range(movies)]),
        genres=pa.array(["Comedy|Drama"] * movies),
    )
