from collections.abc import Iterable

import numpy as np
import pandas as pd
import psycopg
import pytest

from cinematch_dagster.drift.activity import aligned
from cinematch_dagster.drift.divergence import psi
from cinematch_dagster.warehouse.drift.audience import (
    NO_RATINGS,
    Audience,
    genre_counts,
    population,
)
from cinematch_dagster.warehouse.drift.histograms import Sides
from cinematch_dagster.warehouse.ingestion.baseline import load_baseline, load_movies
from cinematch_dagster.warehouse.ingestion.batches import load_batch, record_failure
from cinematch_dagster.warehouse.registry.promotions import Policy, merge_buffer, record_promotion
from tests.warehouse.support import batch, frame, many, promotion, value, week


def catalogue(genres: dict[int, str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "movieId": list(genres),
            "title": [f"Film {movie}" for movie in genres],
            "genres": list(genres.values()),
            "pca_features": [[0.0] * 10] * len(genres),
        }
    )


def rated(*pairs: tuple[int, int]) -> pd.DataFrame:
    """Ratings of three stars by (user, movie), one second after another."""
    return frame((user, movie, 3.0, i) for i, (user, movie) in enumerate(pairs))


def promote(connection: psycopg.Connection, version: str, number: int, policy: Policy) -> None:
    record_promotion(connection, promotion(version, number, buffer_policy=policy))
    merge_buffer(connection, week(number), version, policy)
    connection.commit()


def audience(connection: psycopg.Connection, number: int) -> Sides[Audience]:
    return population(connection, [week(number)])[week(number)]


GENRES = {1: "Comedy", 2: "Comedy|Drama", 3: "Drama", 4: "War"}
WEEKS = {
    # The last of each five is held out.
    1: rated((1, 1), (2, 2), (2, 3), (8, 3), (8, 4)),
    2: rated((1, 2), (2, 4), (5, 4), (5, 1), (9, 3)),
    3: rated((9, 4), (5, 4), (6, 1), (1, 1), (1, 2)),
}


@pytest.fixture
def story(warehouse_dsn: str, connection: psycopg.Connection) -> psycopg.Connection:
    """A baseline whose train part knows users 1 and 2 and movies 1 to 3; user 8 is in test."""
    pairs = rated((1, 1), (1, 2), (2, 1), (2, 3), (8, 4))
    load_movies(connection, catalogue(GENRES))
    load_baseline(connection, pairs.assign(data_split=["train"] * 4 + ["test"]), "a", week(0))
    connection.commit()
    for number, ratings in WEEKS.items():
        load_batch(warehouse_dsn, batch(number, ratings))
    return connection


def test_who_rated_what_before_any_promotion(story: psycopg.Connection) -> None:
    found = audience(story, 2)
    assert found.baseline == Audience(4, 2, 0, 0, 0, 0)
    # Users 5 and 9 are new, 5 rated twice; movie 4 is known from week 1.
    assert found.per_batch == Audience(5, 4, 3, 0, 2, 0)
    # Weeks 1 and 2 against the baseline: users 5, 8 and 9 with 2, 2 and 1, movie 4 with 3.
    assert found.cumulative == Audience(10, 5, 5, 3, 3, 1)
    assert found.per_batch.new_user_share == 3 / 5
    assert found.per_batch.ratings_per_user == 5 / 4


def test_genres_count_once_for_each_of_a_movies_genres(story: psycopg.Connection) -> None:
    found = genre_counts(story, week(2))
    assert found.baseline == {"Comedy": 3, "Drama": 2}
    assert found.per_batch == {"Comedy": 2, "Drama": 2, "War": 2}
    assert found.cumulative == {"Comedy": 4, "Drama": 5, "War": 3}
    assert psi(*aligned(found.baseline, found.cumulative)) > 0


def test_a_promotion_moves_the_baseline_and_what_is_new(story: psycopg.Connection) -> None:
    promote(story, "1", 0, "merge")
    promote(story, "2", 1, "merge")
    found = audience(story, 3)
    # Train parts: the baseline's four and week 1's four; user 8's second rating is held out.
    assert found.baseline == Audience(8, 3, 0, 0, 0, 0)
    assert found.per_batch == Audience(5, 4, 1, 0, 1, 0)  # user 6
    assert found.cumulative == Audience(10, 5, 6, 0, 3, 0)  # 5 three times, 9 twice, 6 once
    assert genre_counts(story, week(3)).baseline == {"Comedy": 5, "Drama": 5}


@pytest.mark.parametrize("policy", ["clear", "archive"])
def test_what_was_not_merged_is_no_baseline_but_not_new_either(
    story: psycopg.Connection, policy: Policy
) -> None:
    promote(story, "1", 0, policy)
    promote(story, "2", 1, policy)
    found = audience(story, 2)
    assert found.baseline == Audience(4, 2, 0, 0, 0, 0)
    assert found.per_batch == found.cumulative == Audience(5, 4, 3, 0, 2, 0)


def test_a_week_without_a_batch_has_nobody(story: psycopg.Connection) -> None:
    assert audience(story, 9).per_batch == NO_RATINGS
    assert genre_counts(story, week(9)).per_batch == {}


def test_the_order_of_arrival_does_not_matter(
    warehouse_dsn: str, story: psycopg.Connection
) -> None:
    before = [audience(story, n) for n in WEEKS]
    for number in (3, 1, 2):
        story.execute("DELETE FROM ratings_buffer WHERE batch_id = %s", [f"batch_w{number}"])
        record_failure(story, f"batch_w{number}", week(number), "other", "away")
    story.commit()
    assert [audience(story, n).cumulative for n in WEEKS] == [NO_RATINGS] * 3
    for number in (2, 3, 1):
        load_batch(warehouse_dsn, batch(number, WEEKS[number]))
    assert [audience(story, n) for n in WEEKS] == before


def test_movies_that_come_after_their_ratings_are_counted_then(
    warehouse_dsn: str, connection: psycopg.Connection
) -> None:
    load_batch(warehouse_dsn, batch(1, WEEKS[1]))
    assert genre_counts(connection, week(1)).per_batch == {}
    load_movies(connection, catalogue(GENRES))
    assert genre_counts(connection, week(1)).per_batch == {"Comedy": 2, "Drama": 3, "War": 1}
    load_movies(connection, catalogue({3: "Western"}))
    found = genre_counts(connection, week(1)).per_batch
    assert found == {"Comedy": 2, "Drama": 1, "War": 1, "Western": 2}


TABLES = ("user_counts", "movie_counts", "genre_counts")


def test_another_file_replaces_the_counts_and_a_failure_removes_them(
    warehouse_dsn: str, story: psycopg.Connection
) -> None:
    load_batch(warehouse_dsn, batch(2, rated((7, 3)), "b"))
    assert audience(story, 2).per_batch == Audience(1, 1, 1, 0, 1, 0)
    assert genre_counts(story, week(2)).per_batch == {"Drama": 1}
    record_failure(story, "batch_w2", week(2), "c", "row 3 of rating is 7")
    for table in TABLES:
        assert value(story, f"SELECT count(*) FROM {table} WHERE batch_id = 'batch_w2'") == 0


def test_a_refused_load_leaves_no_counts(
    warehouse_dsn: str, connection: psycopg.Connection
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        load_batch(warehouse_dsn, batch(1, frame([(1, 1, 3.0, 1), (2, 2, 9.0, 2)])))
    for table in TABLES:
        assert value(connection, f"SELECT count(*) FROM {table}") == 0


def test_counts_equal_those_of_pandas(warehouse_dsn: str, connection: psycopg.Connection) -> None:
    random = np.random.default_rng(7)
    genres = {movie: ("Comedy|War", "Drama", "War")[movie % 3] for movie in range(200)}
    load_movies(connection, catalogue(genres))

    def ratings(rows: int) -> pd.DataFrame:
        data = many(rows).assign(
            userId=random.integers(0, 90, rows).astype(np.int32),
            movieId=random.integers(0, 200, rows).astype(np.int32),
        )
        return data.drop_duplicates(["userId", "movieId"])

    start = ratings(150)
    train = start.head(100)
    split = ["train"] * 100 + ["test"] * (len(start) - 100)
    load_baseline(connection, start.assign(data_split=split), "a", week(0))
    connection.commit()
    weeks = {number: ratings(60) for number in range(1, 7)}
    for number in (6, 2, 1, 3, 5, 4):
        load_batch(warehouse_dsn, batch(number, weeks[number]))
    for version, number in enumerate((0, 2, 4)):
        promote(connection, str(version), number, "merge")

    def kept(number: int) -> pd.DataFrame:
        return weeks[number].iloc[: len(weeks[number]) - len(weeks[number]) // 5]

    def expected(rows: pd.DataFrame, earlier: Iterable[pd.DataFrame] | None) -> Audience:
        before = rows if earlier is None else pd.concat([train, *earlier])
        users = rows[~rows["userId"].isin(before["userId"])]
        movies = rows[~rows["movieId"].isin(before["movieId"])]
        return Audience(
            ratings=len(rows),
            users=rows["userId"].nunique(),
            by_new_users=len(users),
            of_new_movies=len(movies),
            new_users=users["userId"].nunique(),
            new_movies=movies["movieId"].nunique(),
        )

    def by_genre(rows: pd.DataFrame) -> dict[str, int]:
        found = rows["movieId"].map(genres).str.split("|").explode().value_counts()
        return {str(genre): int(n) for genre, n in found.items()}

    at_once = population(connection, [week(number) for number in (6, 3, 2, 1, 5)])
    for number in weeks:
        last = {1: 0, 2: 0, 3: 2, 4: 2, 5: 4, 6: 4}[number]
        sides = Sides(
            pd.concat([train, *(kept(n) for n in range(1, last + 1))]),
            weeks[number],
            pd.concat([weeks[n] for n in range(last + 1, number + 1)]),
        )
        alone = Sides(
            expected(sides.baseline, None),
            expected(sides.per_batch, [weeks[n] for n in range(1, number)]),
            expected(sides.cumulative, [weeks[n] for n in range(1, last + 1)]),
        )
        assert audience(connection, number) == at_once.get(week(number), alone) == alone
        assert genre_counts(connection, week(number)) == Sides(*map(by_genre, sides))
