import datetime

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from cinematch_dagster.recommenders import Hyperparameters

WEEK = datetime.date(2024, 1, 1)
TRAINED_AT = datetime.datetime(2024, 1, 8, 6, 30, tzinfo=datetime.UTC)
SMALL = Hyperparameters(
    seed=7,
    rating_head="svd",
    ranking_head="als",
    svd_factors=4,
    svd_epochs=10,
    svd_learning_rate=0.01,
    svd_regularization=0.05,
    svd_init_std=0.1,
    svd_engine="auto",
    svdpp_factors=3,
    svdpp_epochs=5,
    svdpp_learning_rate=0.01,
    svdpp_regularization=0.05,
    knn_neighbours=10,
    knn_links=15,
    als_factors=5,
    als_iterations=4,
    als_regularization=3.0,
    als_alpha=2.0,
    ease_regularization=5.0,
    ease_links=15,
    ease_max_movies=100,
    item_knn_links=8,
    popularity_half_life_days=365.0,
    top_n=12,
)


def ratings_frame(*rows: tuple[int, int, float]) -> pd.DataFrame:
    """Rows of (userId, movieId, rating), a second apart."""
    frame = pd.DataFrame(rows, columns=["userId", "movieId", "rating"])
    frame["timestamp"] = np.arange(len(frame)) + 1_000_000_000
    types = {"userId": "int32", "movieId": "int32", "rating": "float32", "timestamp": "int64"}
    return frame.astype(types)


def movies_frame(*movie_ids: int) -> pd.DataFrame:
    """A title each, and the genres Comedy for even ids, Comedy and Drama for odd ones."""
    genres = ["Comedy|Drama" if movie % 2 else "Comedy" for movie in movie_ids]
    titles = [f"Title {movie}" for movie in movie_ids]
    return pd.DataFrame({"movieId": movie_ids, "title": titles, "genres": genres})


def random_ratings(seed: int, users: int, movies: int, n: int) -> pd.DataFrame:
    """Random stars for n different pairs, in random order; ids are not consecutive."""
    random = np.random.default_rng(seed)
    pairs = random.choice(users * movies, size=n, replace=False)
    users_of, movies_of = pairs // movies * 3 + 1, pairs % movies * 5 + 2
    stars = random.integers(1, 11, size=n) / 2
    return ratings_frame(*zip(users_of.tolist(), movies_of.tolist(), stars.tolist(), strict=True))


@st.composite
def ratings_frames(draw: st.DrawFn) -> pd.DataFrame:
    """Up to 40 ratings of up to 6 users for up to 8 movies, each pair once."""
    pair = st.tuples(st.integers(1, 6), st.integers(1, 8))
    pairs = draw(st.lists(pair, min_size=1, max_size=40, unique=True))
    halves = draw(st.lists(st.integers(1, 10), min_size=len(pairs), max_size=len(pairs)))
    return ratings_frame(*((u, m, h / 2) for (u, m), h in zip(pairs, halves, strict=True)))
