from pathlib import Path

import pytest

from benchmarks.data.server import warehouse
from benchmarks.drift.scores import KS
from benchmarks.drift.speed import assert_same, measure, ratios
from cinematch_dagster.drift import DriftPolicy, assess, histogram


def test_a_real_server_gives_the_same_figures_both_ways_and_all_times(
    tmp_path: Path, postgres_server: str
) -> None:
    with warehouse(postgres_server) as dsn:
        found = measure(dsn, tmp_path / "data", 4_000, weeks=(4, 2), rounds=1, seed=1)
    assert found["rounds"] == 1
    assert list(found["all_weeks"]) == ["2", "4"]
    times = (found["week"], found["reading"], found["from_rows"], *found["all_weeks"].values())
    assert min(times) > 0
    assert found["all_from_rows"] > found["from_rows"]
    assert found["ratio"] == found["from_rows"] / found["week"]


def test_ratios_are_against_the_ratings_and_against_the_fewest_weeks() -> None:
    times = {"from_rows": 3.0, "week": 0.01}
    found = ratios(times, {2: 0.1, 4: 0.5, 10: 1.0}, all_from_rows=1_000.0)
    assert found["ratio"] == pytest.approx(300)
    assert found["all_ratio"] == pytest.approx(1_000)
    assert found["growth"] == [{"weeks": 2, "time": 5}, {"weeks": 5, "time": 10}]


def test_other_figures_are_noticed() -> None:
    baseline, buffer = histogram([2.0, 3.0, 4.0]), histogram([3.0, 4.0, 5.0, 5.0])
    report = assess(baseline, buffer, buffer, DriftPolicy())
    expected = {test.feature_name: test.change for test in report.cumulative.tests}
    p_value = report.cumulative.ks_p_value
    assert p_value is not None
    assert_same(report, {**expected, "ks_p_value": p_value})
    with pytest.raises(AssertionError):
        assert_same(report, {**expected, "ks_p_value": p_value + 1e-3})
    with pytest.raises(AssertionError, match=KS):
        assert_same(report, {**expected, "ks_p_value": p_value, KS: expected[KS] + 1e-9})
