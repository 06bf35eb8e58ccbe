from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinematch_dagster.batches import BadWeekError, batch_id, week_of, week_zero

FIRST = datetime.date(2024, 1, 1)


@pytest.mark.parametrize(
    ("name", "week"),
    [
        ("batch_w1", datetime.date(2024, 1, 1)),
        ("batch_w2", datetime.date(2024, 1, 8)),
        ("batch_w10", datetime.date(2024, 3, 4)),
    ],
)
def test_a_batch_is_a_monday(name: str, week: datetime.date) -> None:
    assert week_of(name, FIRST) == week
    assert batch_id(week, FIRST) == name


def test_week_zero_is_the_monday_before_the_first() -> None:
    assert week_zero(FIRST) == datetime.date(2023, 12, 25)


@pytest.mark.parametrize(
    "name",
    ["", "batch_w0", "batch_w01", "batch_w-1", "batch_1", "w1", "Batch_w1", "batch_w1 ",
     "batch_w1\n", "batch_w1.parquet", "batch_w1.5", "batch_w\u0661", "batch_w10000"],
)  # fmt: skip
def test_other_ids_are_refused(name: str) -> None:
    with pytest.raises(BadWeekError, match="expected batch_wN with N from 1 to 9999") as caught:
        week_of(name, FIRST)
    assert repr(name) in str(caught.value)


@pytest.mark.parametrize("days", [-7, -1, 1, 6, 8])
def test_a_day_between_the_weeks_or_before_the_first_has_no_batch(days: int) -> None:
    day = FIRST + datetime.timedelta(days=days)
    with pytest.raises(BadWeekError, match=f"week {day}: expected 2024-01-01 or whole weeks after"):
        batch_id(day, FIRST)


@given(st.integers(1, 9999))
def test_id_and_week_are_one_to_one(n: int) -> None:
    assert batch_id(week_of(f"batch_w{n}", FIRST), FIRST) == f"batch_w{n}"
