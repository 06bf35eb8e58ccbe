import datetime

import numpy as np
import pandas as pd
import psycopg
import pytest

from cinematch_dagster.drift import Histogram
from cinematch_dagster.warehouse.drift.histograms import (
    Sides,
    compared_histograms,
    loaded_weeks,
)
from cinematch_dagster.warehouse.ingestion.baseline import load_baseline
from cinematch_dagster.warehouse.ingestion.batches import load_batch
from cinematch_dagster.warehouse.registry.promotions import Policy, merge_buffer, record_promotion
from tests.warehouse.support import batch, frame, many, promotion, stars, value, week


def promote(connection: psycopg.Connection, version: str, number: int, policy: Policy) -> None:
    record_promotion(connection, promotion(version, number, buffer_policy=policy))
    merge_buffer(connection, week(number), version, policy)
    connection.commit()


def compared(connection: psycopg.Connection, of_week: datetime.date) -> Sides[Histogram]:
    return compared_histograms(connection, [of_week])[of_week]


def since(connection: psycopg.Connection, of_week: datetime.date) -> datetime.date | None:
    found: datetime.date | None = value(connection, "SELECT compared_since(%s)", of_week)
    return found


@pytest.fixture
def story(warehouse_dsn: str, connection: psycopg.Connection) -> psycopg.Connection:
    """A baseline and four weeks of five ratings each, of which the last two are held out."""
    baseline = stars(1.0, 1.0, 2.0, 5.0, 4.5).assign(data_split=["train"] * 3 + ["test"] * 2)
    load_baseline(connection, baseline, "a", week(0))
    connection.commit()
    weeks = {
        1: stars(0.5, 0.5, 0.5, 3.0, 3.0),
        2: stars(1.0, 1.5, 1.5, 3.0, 3.5),
        3: stars(2.0, 2.0, 2.0, 4.0, 4.0),
        4: stars(5.0, 5.0, 5.0, 5.0, 5.0),
    }
    for number, ratings in weeks.items():
        load_batch(warehouse_dsn, batch(number, ratings, held_out_share=0.4))
    return connection


#                0.5 1.0 1.5 2.0 2.5 3.0 3.5 4.0 4.5 5.0
BASELINE_TRAIN = [0, 2, 0, 1, 0, 0, 0, 0, 0, 0]
WEEK_1 = [3, 0, 0, 0, 0, 2, 0, 0, 0, 0]
WEEK_2 = [0, 1, 2, 0, 0, 1, 1, 0, 0, 0]
WEEK_3 = [0, 0, 0, 3, 0, 0, 0, 2, 0, 0]
WEEK_4 = [0, 0, 0, 0, 0, 0, 0, 0, 0, 5]
TRAIN_THROUGH_2 = [3, 3, 2, 1, 0, 0, 0, 0, 0, 0]


def test_a_week_alone_counts_train_and_held_out(story: psycopg.Connection) -> None:
    for number, expected in enumerate((WEEK_1, WEEK_2, WEEK_3, WEEK_4), start=1):
        found = compared(story, week(number)).per_batch
        assert found.tolist() == expected
        assert found.dtype == np.int64
        assert found.shape == (10,)
    assert compared(story, week(5)).per_batch.tolist() == [0] * 10
    assert compared(story, week(0)).per_batch.tolist() == [0] * 10


def test_before_any_promotion_weeks_add_up_against_the_baselines_train_part(
    story: psycopg.Connection,
) -> None:
    assert since(story, week(4)) is None
    assert compared(story, week(4)).baseline.tolist() == BASELINE_TRAIN
    assert compared(story, week(2)).cumulative.tolist() == [3, 1, 2, 0, 0, 3, 1, 0, 0, 0]


def test_the_first_model_is_of_week_zero(story: psycopg.Connection) -> None:
    promote(story, "1", 0, "merge")
    assert since(story, week(1)) == week(0)
    assert since(story, week(0)) is None
    assert compared(story, week(4)).baseline.tolist() == BASELINE_TRAIN
    assert compared(story, week(1)).cumulative.tolist() == WEEK_1
    assert value(story, "SELECT count(*) FROM ratings") == 5


def test_a_promotion_moves_the_baseline_and_starts_the_cumulation_again(
    story: psycopg.Connection,
) -> None:
    promote(story, "1", 0, "merge")
    promote(story, "2", 2, "merge")
    assert since(story, week(3)) == week(2)
    assert compared(story, week(3)).baseline.tolist() == TRAIN_THROUGH_2
    assert compared(story, week(3)).cumulative.tolist() == WEEK_3
    assert compared(story, week(4)).cumulative.tolist() == np.add(WEEK_3, WEEK_4).tolist()


def test_an_earlier_week_is_still_compared_with_what_it_was_compared_with(
    story: psycopg.Connection,
) -> None:
    promote(story, "1", 0, "merge")
    before = [side.tolist() for side in compared(story, week(2))[::2]]
    promote(story, "2", 2, "merge")
    promote(story, "3", 4, "merge")
    after = [side.tolist() for side in compared(story, week(2))[::2]]
    assert before == after == [BASELINE_TRAIN, np.add(WEEK_1, WEEK_2).tolist()]


def test_a_challenger_that_was_not_promoted_changes_nothing(story: psycopg.Connection) -> None:
    promote(story, "1", 0, "merge")
    record_promotion(story, promotion("2", 2, promoted=False))
    assert since(story, week(3)) == week(0)
    assert compared(story, week(2)).cumulative.tolist() == np.add(WEEK_1, WEEK_2).tolist()


@pytest.mark.parametrize("policy", ["clear", "archive"])
def test_what_was_not_merged_is_not_part_of_the_baseline(
    story: psycopg.Connection, policy: Policy
) -> None:
    promote(story, "1", 0, policy)
    promote(story, "2", 2, policy)
    assert compared(story, week(3)).baseline.tolist() == BASELINE_TRAIN
    assert compared(story, week(3)).cumulative.tolist() == WEEK_3


def test_the_baseline_is_what_lies_in_ratings_as_train(story: psycopg.Connection) -> None:
    promote(story, "1", 0, "merge")
    promote(story, "2", 2, "merge")
    stored = story.execute("SELECT rating FROM ratings WHERE data_split = 'train'").fetchall()
    counts = np.bincount([int(2 * rating) for (rating,) in stored], minlength=11)[1:]
    assert compared(story, week(3)).baseline.tolist() == counts.tolist()


def test_loaded_weeks_are_in_order_and_leave_out_the_baseline_and_failures(
    warehouse_dsn: str, story: psycopg.Connection
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        load_batch(warehouse_dsn, batch(5, frame([(1, 1, 9.0, 1)])))
    promote(story, "2", 2, "merge")
    assert loaded_weeks(story) == [week(number) for number in (1, 2, 3, 4)]


def test_histograms_equal_those_of_pandas(
    warehouse_dsn: str, connection: psycopg.Connection
) -> None:
    baseline = many(2_000).assign(data_split=["train"] * 1_400 + ["test"] * 600)
    load_baseline(connection, baseline, "a", week(0))
    connection.commit()
    weeks = {number: many(500 + 37 * number, seed=number) for number in range(1, 9)}
    for number in (8, 2, 5, 1, 3, 7, 4, 6):  # in any order
        load_batch(warehouse_dsn, batch(number, weeks[number]))
        if number == 3:
            promote(connection, "1", 0, "merge")
            promote(connection, "2", 3, "merge")
    promote(connection, "3", 6, "merge")

    def counted(*parts: pd.DataFrame) -> list[int]:
        stars = pd.concat(parts)["rating"].value_counts()
        return [int(stars.get(i / 2, 0)) for i in range(1, 11)]

    def train(number: int) -> pd.DataFrame:
        return weeks[number].iloc[: len(weeks[number]) - len(weeks[number]) // 5]

    for number in range(1, 9):
        last = {1: 0, 2: 0, 3: 0, 4: 3, 5: 3, 6: 3, 7: 6, 8: 6}[number]
        merged = [train(i) for i in range(1, last + 1)]
        recent = [weeks[i] for i in range(last + 1, number + 1)]
        initial = baseline[baseline["data_split"] == "train"]
        assert since(connection, week(number)) == week(last)
        assert compared(connection, week(number)).baseline.tolist() == counted(initial, *merged)
        assert compared(connection, week(number)).cumulative.tolist() == counted(*recent)
        assert compared(connection, week(number)).per_batch.tolist() == counted(weeks[number])
