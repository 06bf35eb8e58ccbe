import re

import pytest

from cinematch_dagster.drift import DriftPolicy
from cinematch_dagster.drift.page import words
from cinematch_dagster.settings import ROOT
from tests.docs.support import blocks, rows, section

GUIDE = ROOT / "docs" / "drift.md"
CALIBRATION = ROOT / "docs" / "drift-calibration.md"
FALSE_ALARMS = rows(section(GUIDE, "False alarms"))
PAGE = section(GUIDE, "The page, figure by figure").lower()


def calibration(heading: str, *start: str) -> list[str]:
    """The cells of one row of a table of the calibration, without their emphasis."""
    found = [row for row in rows(section(CALIBRATION, heading)) if row[: len(start)] == [*start]]
    assert len(found) == 1
    return [cell.strip("*") for cell in found[0]]


@pytest.mark.parametrize("row", FALSE_ALARMS, ids=" and ".join)
def test_the_false_alarms_of_the_guide_are_those_of_the_calibration(row: list[str]) -> None:
    baseline, n, rate, threshold = row
    where = ("half-star sample", "by whole users", baseline, n)
    assert calibration("False alarms", *where)[-2] == rate
    kept = calibration("Settings that keep the promise", where[0], *where[2:])
    assert kept[-1] == threshold


def test_the_settings_of_the_guide_are_valid_and_measured() -> None:
    text = section(GUIDE, "False alarms")
    (block,) = [code for code in blocks(GUIDE, "bash") if "KS_THRESHOLD" in code]
    threshold = block.strip().removeprefix("CINEMATCH_DRIFT__KS_THRESHOLD=")
    assert threshold in {row[-1] for row in FALSE_ALARMS}
    (count,) = re.findall(r"drift.count_threshold = (\d+)", text)
    assert f"COUNT_THRESHOLD={count}" in CALIBRATION.read_text()
    DriftPolicy(ks_threshold=float(threshold), count_threshold=int(count), minimum_tests=2)


@pytest.mark.parametrize(
    "figure",
    [
        *words.TESTS.values(),
        *(name.partition(": ")[2] for name, _ in words.SECONDARY.values()),
        *("chi-square", "p-value", "widest gap", "RMSE", "MAE", "own test", "slices", "hit rate"),
        *("new users", "new movies", "active users", "identity of the evidence", "baseline"),
    ],
)
def test_every_figure_of_the_page_is_explained(figure: str) -> None:
    assert figure.lower() in PAGE
