import datetime
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from cinematch_dagster.recommenders.algorithms import Hyperparameters, Ranking, Rating
from cinematch_dagster.recommenders.ranking.als import Als
from cinematch_dagster.recommenders.ranking.ease import Ease
from cinematch_dagster.recommenders.ranking.item_knn import ItemKnn
from cinematch_dagster.recommenders.ranking.popularity import Popularity
from cinematch_dagster.recommenders.rating.knn_baseline import Baseline, KnnBaseline
from cinematch_dagster.recommenders.rating.svd import Svd
from cinematch_dagster.recommenders.rating.svdpp import Svdpp

WEEK = datetime.date(2024, 1, 1)
TRAINED_AT = datetime.datetime(2024, 1, 8, 6, 30, tzinfo=datetime.UTC)
SMALL_RATING: dict[str, Rating] = {
    "svd": Svd(factors=4, epochs=10, learning_rate=0.01, regularization=0.05, init_std=0.1),
    "svdpp": Svdpp(factors=3, epochs=5, learning_rate=0.01, regularization=0.05, init_std=0.1),
    "baseline": Baseline(),
    "knn_baseline": KnnBaseline(neighbours=10, links=15),
}
SMALL_RANKING: dict[str, Ranking] = {
    "als": Als(factors=5, iterations=4, regularization=3.0),
    "ease": Ease(regularization=5.0, links=15, max_movies=100),
    "item_knn": ItemKnn(links=8),
    "popularity": Popularity(),
}
SEED = 7


def small(rating: str = "svd", ranking: str = "als", **changed: Any) -> Hyperparameters:
    """Hyperparameters for a few dozen ratings."""
    heads: dict[str, Any] = {"rating": SMALL_RATING[rating], "ranking": SMALL_RANKING[ranking]}
    return Hyperparameters(**{"seed": SEED, "top_n": 12, **heads, **changed})


SMALL = small()


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
