import numpy as np

from benchmarks.drift.delay import HORIZON, SCENARIOS, Delay, measure, summarise
from tests.benchmarks.drift.populations import lovers_and_haters

CROWD = lovers_and_haters(n_users=40, n_ratings=5)


def test_four_histories_worked_by_hand() -> None:
    alerts = np.array(
        [
            [0, 0, 1, 0, 1],
            [1, 0, 0, 1, 0],
            [0, 0, 0, 0, 1],
            [0, 1, 0, 0, 0],
        ],
        dtype=bool,
    )
    found = summarise("a", 2, "per_batch", alerts)
    assert found == Delay("a", 2, "per_batch", 3.0, None, missed=0.25, false_alarms=0.25)


def test_an_alert_before_the_drift_does_not_count_as_noticing_it() -> None:
    alerts = np.array([[True, False, False, True]])
    assert summarise("a", 1, "cumulative", alerts).median == 3


def test_the_cumulative_view_needs_longer_the_more_quiet_weeks_it_holds() -> None:
    found = {
        (row.scenario, row.quiet, row.view): row
        for row in measure(CROWD, 500_000, 20_000, [3, 11], trials=20, seed=1)
    }
    assert len(found) == len(SCENARIOS) * 2 * 2
    sudden = "+10 % at once"
    assert found[sudden, 3, "per_batch"].median == found[sudden, 11, "per_batch"].median == 1
    # 3.33 % caught, 10 % drifted: more than a third of the weeks must have drifted
    assert found[sudden, 3, "cumulative"].median == 2
    assert found[sudden, 11, "cumulative"].median == 6
    gradual = "+1 % more each week"
    assert found[gradual, 3, "per_batch"].median == 4
    later = found[gradual, 3, "cumulative"].median
    assert later is not None
    assert later > 4
    assert all(row.missed == 0 for row in found.values())
    assert all(row.false_alarms == 0 for row in found.values())


def test_drift_that_a_view_hides_within_the_horizon_is_missed() -> None:
    rows = measure(CROWD, 500_000, 20_000, [HORIZON * 4], trials=3, seed=1)
    hidden = next(r for r in rows if r.view == "cumulative" and r.scenario == "+5 % at once")
    assert hidden.missed == 1
    assert hidden.median is None
