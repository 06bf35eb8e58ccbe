"""Where the dashboard's charts draw what."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from serving.pages.charts import BOTTOM, LEFT, RIGHT, TOP, Chart, Series, round_step

values = st.lists(st.none() | st.floats(0, 1e7), min_size=1, max_size=60)


def chart(*found: float | None, threshold: float | None = None) -> Chart:
    labels = [str(n) for n in range(len(found))]
    return Chart("A title", "A sentence.", labels, [Series("total", "s", found)], False, threshold)


def test_the_scale_begins_at_zero_and_ends_above_the_threshold() -> None:
    one = chart(1.0, 2.0, threshold=4.0)
    assert one.top == pytest.approx(4.4)
    assert one.y(0) == BOTTOM
    assert one.y(4.4) == TOP
    assert [text for _, text in one.ticks()] == ["0", "2", "4"]


def test_a_missing_value_parts_the_line() -> None:
    one = chart(1.0, None, 2.0, 3.0)
    assert [len(stretch) for stretch in one.stretches(one.series[0])] == [1, 2]


@given(values)
@example([5e-324])
def test_everything_is_drawn_inside(found: list[float | None]) -> None:
    one = chart(*found)
    points = [point for stretch in one.stretches(one.series[0]) for point in stretch]
    assert len(points) == sum(value is not None for value in found)
    assert all(LEFT <= x <= RIGHT and TOP <= y <= BOTTOM for x, y in points)
    assert 1 <= len(one.named()) <= 5
    assert len(one.ticks()) <= 5


@given(st.floats(1e-6, 1e9))
def test_a_round_step_is_not_below_and_not_far_above(least: float) -> None:
    assert least * (1 - 1e-9) <= round_step(least) <= least * 2.5 * (1 + 1e-9)
