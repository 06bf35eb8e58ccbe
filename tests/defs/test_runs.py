import pytest

from cinematch_dagster.defs.runs import PATIENCE, again_at


@pytest.mark.parametrize(("times", "waits"), [(1, 1), (2, 2), (3, 4), (4, 8)])
def test_each_wait_doubles_up_to_a_day(times: int, waits: int) -> None:
    assert again_at(50.0, times) == 50.0 + waits * PATIENCE
    assert again_at(50.0, times=2_000) == 50.0 + 86_400.0
