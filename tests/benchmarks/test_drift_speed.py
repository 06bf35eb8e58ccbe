import dataclasses
from pathlib import Path

import pytest

from benchmarks.drift.scores import KS
from benchmarks.drift.speed import Speed, assert_same, measure
from cinematch_dagster.drift import DriftPolicy, assess, histogram
from cinematch_dagster.postgres import embedded


@pytest.fixture(scope="module")
def speed() -> Speed:
    return measure(4_000, weeks=(2, 4), rounds=1, seed=1)


def test_a_real_server_gives_the_same_figures_both_ways_and_all_times(speed: Speed) -> None:
    assert (speed.rows, speed.rounds) == (4_000, 1)
    assert speed.server.startswith("PostgreSQL")
    assert list(speed.all_weeks) == [2, 4]
    assert min(speed.week, speed.reading, speed.from_rows, *speed.all_weeks.values()) > 0
    assert speed.all_from_rows > speed.from_rows
    assert dataclasses.replace(speed, from_rows=3.0, week=0.01).ratio == pytest.approx(300)
    assert dataclasses.replace(
        speed, all_from_rows=1_000.0, all_weeks={2: 0.1, 4: 0.5}
    ).all_ratio == pytest.approx(2_000)


def test_the_server_is_gone_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    folders = []
    start = embedded.start

    def noted(folder: Path) -> str:
        folders.append(folder)
        return start(folder)

    monkeypatch.setattr(embedded, "start", noted)
    measure(2_000, weeks=(1,), rounds=1, seed=1)
    assert [embedded.running(folder) for folder in folders] == [False]
    assert not any(folder.exists() for folder in folders)


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
