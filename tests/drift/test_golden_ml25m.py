import datetime
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from cinematch_dagster.drift import DriftPolicy
from cinematch_dagster.drift.statistics import mean, std
from tests.drift.golden_table import TABLE, TRAIN_MEAN, TRAIN_STD, Golden, golden

ML_25M = os.environ.get("ML_25M")


@pytest.fixture(scope="module")
def ml_25m() -> Golden:
    if ML_25M is None:
        pytest.skip("needs ml-25m: set ML_25M to the folder that holds its ratings.csv")
    return golden(Path(ML_25M), n_baseline=1_000_000, n_batch=100_000)


def test_the_baseline_of_ml_25m(ml_25m: Golden) -> None:
    assert ml_25m.train.sum() == 700_000
    assert mean(ml_25m.train) == pytest.approx(TRAIN_MEAN, abs=5e-11)
    assert std(ml_25m.train) == pytest.approx(TRAIN_STD, abs=5e-4)


@pytest.mark.parametrize("row", range(len(TABLE)), ids=[f"{row[0]} ratings" for row in TABLE])
def test_the_reference_figures_of_ml_25m(ml_25m: Golden, row: int) -> None:
    n, *scores, fires = TABLE[row]
    view = ml_25m.reports[row].cumulative
    assert view.n == n
    assert [test.score for test in view.tests] == pytest.approx(scores, abs=5e-11)
    assert [test.feature_name for test in view.tests if test.triggered] == fires


def seconds(day: str) -> int:
    return int(datetime.datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp())


TRAIN = [2.0, 3.0, 3.0, 3.5, 4.0, 4.0, 5.0]
BATCHES = [[3.5, 4.0], [4.0, 4.5], [1.0, 2.0], [3.0, 5.0], [0.5, 4.5], [4.5, 2.0]]
SHIFTED = [5.0, 3.0]


@pytest.fixture
def tiny_folder(tmp_path: Path) -> Path:
    """Ten baseline ratings, and two at the end of each year; others before, between and after."""
    rows = [("2004-12-31", 0.5), ("2019-11-22", 0.5)]
    test_part = [1.0, 1.5, 0.5]
    rows += [(f"2005-01-{i + 1:02}", star) for i, star in enumerate([*TRAIN, *test_part])]
    years = ("2005-12", "2008-12", "2011-12", "2014-12", "2017-12", "2019-11")
    for month, stars in zip(years, BATCHES, strict=True):
        rows += [(f"{month}-01", 5.0), *((f"{month}-2{i}", star) for i, star in enumerate(stars))]
    rows += [("2006-06-06", 0.5), ("2018-06-06", 0.5)]
    frame = pd.DataFrame(
        {
            "userId": range(1, len(rows) + 1),
            "movieId": 7,
            "rating": [star for _, star in rows],
            "timestamp": [seconds(day) for day, _ in rows],
        }
    )
    frame.sample(frac=1, random_state=3).to_csv(tmp_path / "ratings.csv", index=False)
    return tmp_path


def test_a_tiny_file_of_the_same_format_gives_the_same_table_as_scipy_and_pandas(
    tiny_folder: Path,
) -> None:
    found = golden(tiny_folder, n_baseline=10, n_batch=2, policy=DriftPolicy(count_threshold=2))
    train = pd.Series(TRAIN)
    assert mean(found.train) == 3.5
    assert len(found.reports) == 7
    for i, report in enumerate(found.reports, start=1):
        buffer = pd.Series(np.concatenate([*BATCHES, SHIFTED][:i]))
        expected = {
            "rating_distribution_ks": ks_2samp(train, buffer, method="asymp").statistic,
            "rating_mean": abs(buffer.mean() - 3.5) / 3.5,
            "rating_std": abs(buffer.std() / train.std() - 1),
        }
        view = report.cumulative
        assert view.n == 2 * i
        assert {t.feature_name: t.score for t in view.tests} == pytest.approx(expected, rel=1e-12)
        fires = [t.feature_name for t in view.tests if t.triggered]
        assert fires == [n for n, t in DriftPolicy().thresholds.items() if expected[n] > t]


def test_the_batch_alone_is_in_the_report_too(tiny_folder: Path) -> None:
    found = golden(tiny_folder, n_baseline=10, n_batch=2)
    assert [report.per_batch.mean for report in found.reports] == [
        float(np.mean(stars)) for stars in [*BATCHES, SHIFTED]
    ]


def test_less_than_the_count_threshold_fires_nothing(tiny_folder: Path) -> None:
    found = golden(tiny_folder, n_baseline=10, n_batch=2)
    assert not any(report.alerts for report in found.reports)
