from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from surprise import SVD, BaselineOnly, Dataset, Reader, accuracy

from cinematch_dagster.movielens import clean, load
from cinematch_dagster.movielens.sources import synthetic
from cinematch_dagster.movielens.sources.population import draw_activity, draw_population
from cinematch_dagster.movielens.sources.synthetic import HISTOGRAM, Synthetic, write_synthetic

DATA = Path(__file__).parents[3] / "data"
SPEC = Synthetic(100_004, seed=1, users=671, movies=14_000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthetic") / "data"
    write_synthetic(folder, SPEC)
    return folder


@pytest.fixture(scope="module")
def made(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "ratings.parquet")


def gini(counts: pd.Series) -> float:
    """Mean absolute difference of all pairs over twice the mean."""
    ordered = np.sort(counts.to_numpy(dtype=float))
    rank = np.arange(1, len(ordered) + 1)
    return float((2 * rank - len(ordered) - 1) @ ordered / (len(ordered) * ordered.sum()))


def test_the_rows_are_usable_ratings_in_order(made: pd.DataFrame) -> None:
    kept, rejects = clean(made)
    assert rejects.empty
    assert_frame_equal(kept, made)


def test_sizes_are_as_asked_for(made: pd.DataFrame, folder: Path) -> None:
    assert len(made) == 100_004
    assert made["userId"].nunique() == made["userId"].max() == 671
    movies = pd.read_parquet(folder / "movies.parquet")
    assert movies["movieId"].tolist() == list(range(1, 14_001))
    assert list(movies) == ["movieId", "title", "genres"]
    assert set(made["movieId"]) <= set(movies["movieId"])


def test_stars_are_distributed_as_in_ml_25m(made: pd.DataFrame) -> None:
    shares = made["rating"].value_counts(normalize=True).sort_index()
    assert HISTOGRAM.sum() == pytest.approx(1.0)
    assert shares.index.tolist() == [n / 2 for n in range(1, 11)]
    assert shares.to_numpy() == pytest.approx(HISTOGRAM, abs=0.006)


@pytest.mark.parametrize("column", ["userId", "movieId"])
def test_activity_and_popularity_are_as_skewed_as_in_the_sample(
    made: pd.DataFrame, column: str
) -> None:
    real = load("sample", DATA).ratings[column].value_counts()
    counts = made[column].value_counts()
    assert gini(counts) == pytest.approx(gini(real), abs=0.06)
    for quantile in (0.25, 0.5, 0.75, 0.9, 0.99):
        ours, theirs = counts.quantile(quantile), real.quantile(quantile)
        assert theirs / 1.5 - 1 <= ours <= theirs * 1.5 + 1


def test_users_give_twenty_ratings_or_more(made: pd.DataFrame) -> None:
    assert made["userId"].value_counts().min() >= 20


def test_users_and_movies_arrive_over_time(made: pd.DataFrame) -> None:
    for column in ("userId", "movieId"):
        first = made.groupby(column)["timestamp"].min()
        arrived = [(first <= made["timestamp"].quantile(q)).mean() for q in (0.1, 0.5, 0.9)]
        assert arrived[0] < arrived[1] - 0.1
        assert arrived[1] < arrived[2] - 0.1


def test_most_ratings_come_on_a_users_first_day_as_in_the_sample(made: pd.DataFrame) -> None:
    since = made["timestamp"] - made.groupby("userId")["timestamp"].transform("min")
    assert (since < 86_400).mean() == pytest.approx(0.62, abs=0.08)
    assert (since < 365 * 86_400).mean() == pytest.approx(0.86, abs=0.08)


def test_the_model_of_factors_beats_the_biases_and_these_the_mean() -> None:
    rows = made_in_memory(Synthetic(200_000, seed=7))
    is_test = np.random.default_rng(0).random(len(rows)) < 0.1
    reader, columns = Reader(rating_scale=(0.5, 5.0)), ["userId", "movieId", "rating"]
    train = Dataset.load_from_df(rows.loc[~is_test, columns], reader).build_full_trainset()
    test = list(rows.loc[is_test, columns].itertuples(index=False, name=None))
    models = BaselineOnly(verbose=False), SVD(20, 30, lr_all=0.005, reg_all=0.05, random_state=0)
    biases, factors = (accuracy.rmse(m.fit(train).test(test), verbose=False) for m in models)
    assert biases < 0.85 * rows["rating"].std()
    assert factors < 0.985 * biases


def made_in_memory(spec: Synthetic) -> pd.DataFrame:
    rng = np.random.default_rng(spec.seed)
    movies, users = draw_population(spec.ratings, spec.users, spec.movies, rng)
    tables = synthetic.stream_ratings(movies, users, rng)
    frame: pd.DataFrame = pd.concat([table.to_pandas() for table in tables], ignore_index=True)
    return frame


def test_genres_decide_what_a_user_watches(made: pd.DataFrame, folder: Path) -> None:
    movies = pd.read_parquet(folder / "movies.parquet")
    first = movies.set_index("movieId")["genres"].str.split("|").str[0]
    heavy = made[made.groupby("userId")["userId"].transform("size") >= 200]
    genre = heavy["movieId"].map(first)
    shuffled = genre.sample(frac=1, random_state=0).set_axis(genre.index)
    by_chance = distance_from_all(heavy["userId"], shuffled)
    assert distance_from_all(heavy["userId"], genre) > 1.5 * by_chance


def distance_from_all(user: pd.Series, genre: pd.Series) -> float:
    """Mean over users of the total variation distance between their genres and everyone's."""
    shares = pd.crosstab(user, genre, normalize="index")
    return float(((shares - genre.value_counts(normalize=True)).abs().sum(axis=1) / 2).mean())


def test_the_same_seed_gives_the_same_rows_and_another_seed_others() -> None:
    spec = Synthetic(20_000, seed=3)
    assert_frame_equal(made_in_memory(spec), made_in_memory(spec))
    assert not made_in_memory(spec).equals(made_in_memory(Synthetic(20_000, seed=4)))


def test_many_small_blocks_are_one_series_in_order_without_a_pair_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(synthetic, "BLOCK", 1_000)
    rows = made_in_memory(Synthetic(20_000, seed=3))
    assert len(rows) == 20_000
    assert_frame_equal(clean(rows)[0], rows)


def test_no_movie_is_rated_before_it_arrives() -> None:
    rng = np.random.default_rng(2)
    movies, users = draw_population(20_000, 130, 5_000, rng)
    rows = pd.concat([t.to_pandas() for t in synthetic.stream_ratings(movies, users, rng)])
    arrival = pd.Series(movies.arrival, movies.ids)
    assert (rows["movieId"].map(arrival) <= rows["timestamp"]).all()
    assert (rows["userId"].map(pd.Series(users.arrival, users.ids)) <= rows["timestamp"]).all()


def test_what_is_there_already_is_not_made_again(folder: Path, tmp_path: Path) -> None:
    before = (folder / "ratings.parquet").stat()
    write_synthetic(folder, SPEC)
    assert (folder / "ratings.parquet").stat() == before
    write_synthetic(tmp_path / "data", Synthetic(2_000, seed=1, users=50, movies=500))
    write_synthetic(tmp_path / "data", Synthetic(3_000, seed=1, users=50, movies=500))
    assert pq.read_metadata(tmp_path / "data" / "ratings.parquet").num_rows == 3_000
    assert [p.name for p in tmp_path.iterdir()] == ["data"]


@pytest.mark.parametrize(
    ("ratings", "users", "movies"),
    [(25_000_095, 162_541, 62_423), (1_000_000, 6_502, 21_348), (100_000, 650, 9_909)],
)
def test_users_and_movies_keep_the_proportions_of_ml_25m(
    ratings: int, users: int, movies: int
) -> None:
    spec = Synthetic(ratings)
    assert (spec.users, spec.movies) == (users, movies)


@given(st.integers(1, 300), st.integers(0, 500), st.integers(0, 9))
def test_activity_adds_up(n_users: int, extra: int, seed: int) -> None:
    total = 20 * n_users + extra * n_users // 3
    counts = draw_activity(total, n_users, 200, np.random.default_rng(seed))
    assert counts.sum() == total
    assert counts.min() >= 20
    assert counts.max() <= 200 + 1


def test_too_few_ratings_for_the_users_are_an_error() -> None:
    with pytest.raises(ValueError, match="100 ratings of 10 users: expected 20 to 50 ratings a"):
        draw_activity(100, 10, 50, np.random.default_rng(0))
