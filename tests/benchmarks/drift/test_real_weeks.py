import datetime
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.drift.real_weeks import BASELINE_WEEKS, compare_weeks, load_year, summary
from cinematch_dagster.drift import DriftPolicy, Level

WEEK = datetime.timedelta(weeks=1)
MONDAY = datetime.datetime(2000, 4, 24, tzinfo=datetime.UTC)
POLICY = DriftPolicy(count_threshold=4)


def rated(week: int, user: int, star: float, seconds: int = 0) -> tuple[int, int, float, int]:
    time = MONDAY + week * WEEK + datetime.timedelta(seconds=seconds)
    return user, week * 100 + user, star, int(time.timestamp())


def frame(rows: list[tuple[int, int, float, int]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["userId", "movieId", "rating", "timestamp"])


def weeks() -> pd.DataFrame:
    """Baseline 3.0 and 4.0 in turn; the same once more, then four times 5.0, then two."""
    baseline = [rated(w, user, 3.0 + user % 2) for w in range(BASELINE_WEEKS) for user in (1, 2)]
    same = [rated(BASELINE_WEEKS, user, 3.0 + user % 2) for user in (1, 2, 3, 4)]
    high = [rated(BASELINE_WEEKS + 1, user, 5.0) for user in (1, 2, 3, 9)]
    few = [rated(BASELINE_WEEKS + 2, user, 3.0) for user in (1, 2)]
    return frame([*baseline, *same, *high, *few])


def test_each_week_after_the_baseline_is_compared_alone_and_cumulated() -> None:
    found = compare_weeks(weeks(), POLICY)
    first = MONDAY.date() + BASELINE_WEEKS * WEEK
    assert [week.week for week in found] == [first, first + WEEK, first + 2 * WEEK]
    assert {week.report.baseline_n for week in found} == {2 * BASELINE_WEEKS}
    assert [week.report.per_batch.n for week in found] == [4, 4, 2]
    assert [week.report.cumulative.n for week in found] == [4, 8, 10]
    assert [week.report.per_batch.mean for week in found] == [3.5, 5.0, 3.0]
    assert found[1].report.cumulative.mean == 4.25
    # four ratings have another ddof=1 than twenty-six: std is 0.577 against 0.510
    assert found[0].report.level is Level.EARLY
    assert found[0].report.reasons == ("Variance change",)
    assert found[1].report.cumulative.level is Level.DRIFT
    assert found[2].report.per_batch.level is Level.INSUFFICIENT


def test_a_new_user_is_one_without_a_rating_in_an_earlier_week() -> None:
    assert [week.new_users for week in compare_weeks(weeks(), POLICY)] == [0.5, 0.25, 0.0]


def test_a_week_begins_on_monday_at_midnight() -> None:
    last_second = rated(BASELINE_WEEKS, 1, 3.0, seconds=int(WEEK.total_seconds()) - 1)
    next_week = rated(BASELINE_WEEKS, 2, 3.0, seconds=int(WEEK.total_seconds()))
    data = frame([rated(0, 1, 3.0), rated(0, 2, 4.0), last_second, next_week])
    assert [week.report.per_batch.n for week in compare_weeks(data, POLICY)] == [1, 1]


def test_the_year_2000_is_cut_out_of_ml_1m(tmp_path: Path) -> None:
    last_of_1999, first_of_2000, last_of_2000, first_of_2001 = (
        int(datetime.datetime(y, 1, 1, tzinfo=datetime.UTC).timestamp()) + s
        for y, s in ((2000, -1), (2000, 0), (2001, -1), (2001, 0))
    )
    times = [last_of_1999, first_of_2000, last_of_2000, first_of_2001]
    lines = [f"{user}::7::4::{time}\n" for user, time in enumerate(times, start=1)]
    (tmp_path / "ratings.dat").write_text("".join(lines))
    assert load_year(tmp_path)["userId"].tolist() == [2, 3]


@pytest.mark.parametrize("column", ["rating", "timestamp"])
def test_all_ratings_of_a_week_count(column: str) -> None:
    found = compare_weeks(weeks(), POLICY)
    assert sum(week.report.per_batch.n for week in found) == weeks()[column].count() - 26


def test_a_summary_counts_alerts_and_scores_above_their_thresholds() -> None:
    found = summary(weeks(), POLICY)
    assert (found["baseline"], found["insufficient"]) == (2 * BASELINE_WEEKS, 1)
    assert [week["ratings"] for week in found["weeks"]] == [4, 4, 2]
    levels = [week["per_batch"]["level"] for week in found["weeks"]]
    assert levels == ["early drift signals", "early drift signals", "insufficient data"]
    assert found["weeks"][1]["cumulative"]["level"] == "drift detected"
    ks, mean, _, cumulative_ks, *_ = found["tests"]
    # the third week is above the KS threshold, too, with too few ratings to be judged
    assert (ks["view"], ks["test"], ks["alerts"]) == ("per_batch", "rating_distribution_ks", 0)
    assert (ks["above"], ks["judged"], ks["above_anywhere"]) == (1, 2, 2)
    assert ks["largest"] == 1.0
    assert mean["largest"] == pytest.approx(5 / 3.5 - 1)
    assert cumulative_ks["view"] == "cumulative"
    assert cumulative_ks["alerts"] == cumulative_ks["above"] == 2
