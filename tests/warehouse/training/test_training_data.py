import itertools

import pandas as pd
import psycopg
import pytest

from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.warehouse.ingestion.baseline import load_baseline, load_movies
from cinematch_dagster.warehouse.ingestion.batches import load_batch
from cinematch_dagster.warehouse.registry.promotions import Policy, merge_buffer, record_promotion
from cinematch_dagster.warehouse.training.training_data import (
    catalogue,
    held_out,
    standing_test,
    training_batches,
    training_ratings,
)
from tests.warehouse.support import batch, frame, many, promotion, value, week

# Two users; timestamps rise with the weeks. The last of each five rows is held out.
BASELINE = frame(
    [(1, 10, 3.0, 100), (1, 11, 4.0, 101), (2, 10, 2.0, 102), (2, 11, 1.0, 103), (2, 12, 5.0, 104)]
)
WEEK_1 = frame(
    [(1, 10, 5.0, 200), (3, 10, 3.5, 201), (3, 11, 2.5, 202), (3, 12, 1.5, 203), (9, 9, 0.5, 204)]
)
WEEK_2 = frame(
    [(1, 11, 0.5, 300), (3, 10, 4.5, 301), (4, 10, 2.5, 302), (4, 11, 1.5, 303), (9, 8, 0.5, 304)]
)


@pytest.fixture
def loaded(warehouse_dsn: str, connection: psycopg.Connection) -> psycopg.Connection:
    baseline = BASELINE.assign(data_split=["train"] * 4 + ["test"])
    load_baseline(connection, baseline, "a", week(0))
    connection.commit()
    load_batch(warehouse_dsn, batch(1, WEEK_1))
    load_batch(warehouse_dsn, batch(2, WEEK_2))
    return connection


def promote(connection: psycopg.Connection, version: str, number: int, policy: Policy) -> None:
    record_promotion(connection, promotion(version, number, buffer_policy=policy))
    merge_buffer(connection, week(number), version, policy)


def test_the_first_model_is_trained_on_the_baselines_train_part(
    loaded: psycopg.Connection,
) -> None:
    pd.testing.assert_frame_equal(training_ratings(loaded, week(0)), BASELINE.head(4))
    pd.testing.assert_frame_equal(standing_test(loaded), BASELINE.tail(1).reset_index(drop=True))
    assert len(held_out(loaded, week(0))) == 0
    assert training_batches(loaded, week(0)) == ["baseline"]


def test_weeks_join_without_their_held_out_rows_and_the_latest_rating_wins(
    loaded: psycopg.Connection,
) -> None:
    expected = frame(
        [
            (2, 10, 2.0, 102),
            (2, 11, 1.0, 103),
            (1, 10, 5.0, 200),  # was 3.0
            (3, 11, 2.5, 202),
            (3, 12, 1.5, 203),
            (1, 11, 0.5, 300),  # was 4.0
            (3, 10, 4.5, 301),  # was 3.5 in week 1
            (4, 10, 2.5, 302),
            (4, 11, 1.5, 303),
        ]
    )
    pd.testing.assert_frame_equal(training_ratings(loaded, week(2)), expected)
    pd.testing.assert_frame_equal(
        held_out(loaded, week(2)), frame([(9, 9, 0.5, 204), (9, 8, 0.5, 304)])
    )
    assert training_batches(loaded, week(2)) == ["baseline", "batch_w1", "batch_w2"]


def test_later_weeks_do_not_count(loaded: psycopg.Connection) -> None:
    assert training_ratings(loaded, week(1))["timestamp"].max() == 203
    pd.testing.assert_frame_equal(held_out(loaded, week(1)), frame([(9, 9, 0.5, 204)]))
    assert training_batches(loaded, week(1)) == ["baseline", "batch_w1"]


def test_of_a_pair_that_is_held_out_twice_the_latest_rating_tests(
    warehouse_dsn: str, loaded: psycopg.Connection
) -> None:
    others = [(5, movie, 1.0, 400) for movie in range(4)]
    load_batch(warehouse_dsn, batch(3, frame([*others, (9, 9, 4.0, 401)])))
    found = held_out(loaded, week(3))
    pd.testing.assert_frame_equal(found, frame([(9, 8, 0.5, 304), (9, 9, 4.0, 401)]))
    promote(loaded, "2", 3, "merge")
    tests = standing_test(loaded)
    pd.testing.assert_frame_equal(
        tests, frame([(2, 12, 5.0, 104), (9, 8, 0.5, 304), (9, 9, 4.0, 401)])
    )


def test_a_merge_changes_no_training_row_and_makes_the_held_out_ones_standing_test(
    loaded: psycopg.Connection,
) -> None:
    before = training_ratings(loaded, week(2))
    promote(loaded, "2", 1, "merge")
    pd.testing.assert_frame_equal(training_ratings(loaded, week(2)), before)
    pd.testing.assert_frame_equal(
        standing_test(loaded), frame([(2, 12, 5.0, 104), (9, 9, 0.5, 204)])
    )
    pd.testing.assert_frame_equal(held_out(loaded, week(2)), frame([(9, 8, 0.5, 304)]))
    assert training_batches(loaded, week(2)) == ["baseline", "batch_w1", "batch_w2"]


@pytest.mark.parametrize("policy", ["clear", "archive"])
def test_what_was_not_merged_is_not_trained_on(loaded: psycopg.Connection, policy: Policy) -> None:
    promote(loaded, "2", 1, policy)
    assert 3 not in training_ratings(loaded, week(1))["userId"].tolist()
    assert training_batches(loaded, week(2)) == ["baseline", "batch_w2"]


def test_no_test_and_no_held_out_row_is_ever_trained_on(
    warehouse_dsn: str, connection: psycopg.Connection
) -> None:
    baseline = many(1_000).assign(data_split=["train"] * 700 + ["test"] * 300)
    load_baseline(connection, baseline, "a", week(0))
    connection.commit()
    for number in range(1, 5):  # users rate the same movies again in every week
        load_batch(warehouse_dsn, batch(number, many(700, seed=10_000 * number)))

    def check(through: int) -> None:
        trained = rows(training_ratings(connection, week(through)))
        never = {tuple(row) for row in connection.execute(UNTRAINED)}
        assert len(never) == 300 + 4 * 140
        tests = rows(standing_test(connection)) | rows(held_out(connection, week(9)))
        assert tests < never
        assert {row[:2] for row in tests} == {row[:2] for row in never}
        assert trained.isdisjoint(never)
        assert len({row[:2] for row in trained}) == len(trained)

    for through in range(5):
        check(through)
    promote(connection, "2", 2, "merge")
    for through in range(5):
        check(through)


UNTRAINED = """
SELECT "userId", "movieId", rating, "timestamp" FROM ratings WHERE data_split = 'test'
UNION SELECT "userId", "movieId", rating, "timestamp" FROM ratings_buffer WHERE held_out
"""


def rows(ratings: pd.DataFrame) -> set[tuple[float, ...]]:
    return set(ratings.itertuples(index=False, name=None))


def test_of_two_ratings_in_one_second_the_same_one_always_wins(
    warehouse_dsn: str, connection: psycopg.Connection
) -> None:
    for number, order in enumerate(itertools.permutations((2.0, 3.0, 4.0))):
        for i, rating in enumerate(order, start=1):
            load_batch(
                warehouse_dsn, batch(i, frame([(1, 1, rating, 7)]), sha256=f"{number} {rating}")
            )
        assert training_ratings(connection, week(3))["rating"].tolist() == [4.0]


def test_several_reads_can_share_one_moment(warehouse_dsn: str, loaded: psycopg.Connection) -> None:
    with connect(warehouse_dsn) as reader:
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        before = training_ratings(reader, week(2))
        promote(loaded, "2", 2, "merge")
        loaded.commit()
        assert len(held_out(reader, week(2))) == 2
        assert len(standing_test(reader)) == 1
        pd.testing.assert_frame_equal(training_ratings(reader, week(2)), before)


def test_the_catalogue_has_every_movie_in_order(connection: psycopg.Connection) -> None:
    assert catalogue(connection).dtypes.astype(str).to_dict()["movieId"] == "int32"
    movies = pd.DataFrame(
        {
            "movieId": [7, 3],
            "title": ["Heat", "Amélie"],
            "genres": ["Crime", "Comedy|Romance"],
            "pca_features": [[0.0] * 10] * 2,
        }
    )
    load_movies(connection, movies)
    assert catalogue(connection).to_dict("records") == [
        {"movieId": 3, "title": "Amélie", "genres": "Comedy|Romance"},
        {"movieId": 7, "title": "Heat", "genres": "Crime"},
    ]
    assert value(connection, "SELECT count(*) FROM movies") == 2
