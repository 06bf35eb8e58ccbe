"""The golden table at its full size, on made counts that have its very sums.

Every figure of the table is rounded to ten digits, and counts are whole numbers. So the table tells
the sum and the sum of squares of each side, and the widest gap between them, exactly: one value of
the train part's sum of squares lets all seven buffers have whole ones, and none does when the
variance is taken with n in place of n - 1. An integer program found counts that have all of them,
the seventh batch being the sixth one star up. They are not the counts of ml-25m.
"""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from cinematch_dagster.drift import DriftPolicy, DriftReport, assess, histogram
from cinematch_dagster.drift.statistics import mean, std
from cinematch_dagster.movielens import shift
from serving.base.scale import STARS
from tests.drift.golden_table import TABLE, TRAIN_MEAN, TRAIN_STD

TRAIN = np.array([8340, 27342, 10560, 54449, 35060, 166040, 83941, 186093, 52457, 75718])
BATCHES = np.array(
    [
        [1140, 3049, 1560, 7244, 5059, 23669, 11992, 28011, 7450, 10826],
        [1192, 3056, 1440, 7464, 4941, 20908, 11992, 28567, 7474, 12966],
        [1231, 1455, 1560, 6971, 4940, 21887, 11991, 28517, 7552, 13896],
        [1201, 3443, 1560, 7060, 4940, 20922, 11940, 26400, 7557, 14977],
        [1197, 6403, 1560, 7015, 5060, 17464, 11920, 26563, 7464, 15354],
        [1212, 3024, 1440, 4856, 2253, 23557, 11960, 26133, 11836, 13729],
    ]
)
ROWS = pytest.mark.parametrize("row", range(len(TABLE)), ids=[f"{row[0]} rows" for row in TABLE])


def ratings(counts: np.ndarray) -> np.ndarray:
    return np.repeat(STARS, counts)


@pytest.fixture(scope="module")
def buffers() -> np.ndarray:
    """The buffer after each of the seven batches."""
    sixth = pd.DataFrame({"rating": ratings(BATCHES[-1]).astype("float32"), "timestamp": 0})
    seventh = histogram(shift(sixth, 1.0)["rating"])
    return np.cumsum([*BATCHES, seventh], axis=0)


def report(buffers: np.ndarray, row: int) -> DriftReport:
    alone = buffers[row] - (buffers[row - 1] if row else 0)
    return assess(TRAIN, alone, buffers[row], DriftPolicy())


def test_the_train_part() -> None:
    assert TRAIN.sum() == 700_000
    assert mean(TRAIN) == pytest.approx(TRAIN_MEAN, abs=5e-11)
    assert std(TRAIN) == pytest.approx(TRAIN_STD, abs=5e-4)


@ROWS
def test_the_table_to_its_last_digit(buffers: np.ndarray, row: int) -> None:
    n, *scores, fires = TABLE[row]
    view = report(buffers, row).cumulative
    assert view.n == n
    assert [f"{test.score:.10f}" for test in view.tests] == [f"{score:.10f}" for score in scores]
    assert [test.feature_name for test in view.tests if test.triggered] == fires


@ROWS
def test_scipy_and_pandas_say_the_same_of_the_ratings(buffers: np.ndarray, row: int) -> None:
    train, buffer = pd.Series(ratings(TRAIN)), pd.Series(ratings(buffers[row]))
    expected = [
        ks_2samp(train, buffer, method="asymp").statistic,
        buffer.mean() / train.mean() - 1,
        buffer.std() / train.std() - 1,
    ]
    changes = [test.change for test in report(buffers, row).cumulative.tests]
    assert changes == pytest.approx(expected, abs=1e-12)
    assert [abs(change) for change in expected] == pytest.approx(TABLE[row][1:4], abs=5e-11)


def test_only_the_seventh_batch_alerts_and_alone_it_is_far_off(buffers: np.ndarray) -> None:
    reports = [report(buffers, row) for row in range(len(TABLE))]
    assert [bool(found.alerts) for found in reports] == [False] * 6 + [True]
    assert reports[-1].per_batch.tests[1].change == pytest.approx(0.287, abs=5e-4)
