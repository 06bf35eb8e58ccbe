"""The real ml-1m through the whole loop, by the profile of its own; ML_1M names it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.support import cinematch, processes_of

SOURCE = os.environ.get("ML_1M")
KS = "rating_distribution_ks"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3_600),
    pytest.mark.skipif(SOURCE is None, reason="needs ml-1m: set ML_1M to its zip or folder"),
]
# Computed independently with numpy: rows, then (KS, mean, std) alone.
WEEKS = [
    (50_010, (0.0086, 0.0043, 0.0074)),
    (50_011, (0.0269, -0.0178, 0.0410)),
    (50_010, (0.0191, -0.0177, 0.0254)),
    (50_011, (0.0427, -0.0318, 0.0132)),
    (50_010, (0.0050, 0.0009, -0.0079)),
    (50_011, (0.0075, -0.0057, 0.0113)),
    (50_010, (0.0478, -0.0220, -0.0381)),
    (50_011, (0.0534, -0.0335, -0.0188)),
]


@pytest.fixture(scope="module")
def report(home: Path, environment: dict[str, str]) -> dict[str, Any]:
    prepared = cinematch(
        "data", "prepare", "--dataset", "ml-1m", "--source", str(SOURCE),
        environment=environment | {"CINEMATCH_PROFILE": "movielens-1m"}, seconds=300,
    )  # fmt: skip
    assert "600,125 ratings in the baseline" in prepared
    cinematch("demo", "--profile", "movielens-1m", environment=environment, seconds=3_000)
    folder = home / "var" / "demo-movielens-1m"
    assert processes_of(folder) == []
    return dict(json.loads((folder / "report.json").read_text()))


def test_all_weeks_were_loaded_and_compared(report: dict[str, Any]) -> None:
    assert [week["rows"] for week in report["weeks"]] == [rows for rows, _ in WEEKS]
    for week, (_, alone) in zip(report["weeks"], WEEKS, strict=True):
        if week["performance"]["version"] == "1":  # compared with the first training data
            found = [week["per_batch"][name] for name in (KS, "rating_mean", "rating_std")]
            assert found == pytest.approx(alone, abs=5.1e-5)


def test_no_drift_was_injected_and_the_real_one_led_to_a_retraining(
    report: dict[str, Any],
) -> None:
    assert {week["injected"] for week in report["weeks"]} == {False}
    assert "trigger_actual" in [d["decision"] for d in report["decisions"]]
    assert len(report["models"]) >= 2


def test_models_see_few_of_the_users_and_yet_beat_their_floor(report: dict[str, Any]) -> None:
    first = report["models"][0]
    assert (first["data_size"], first["promoted"]) == (420_087, True)
    assert first["rmse"] < 1.0


def test_the_api_never_failed(report: dict[str, Any]) -> None:
    assert set(report["serving"]["by_status"]) == {"200"}


def test_the_database_fits_into_a_free_tier(report: dict[str, Any]) -> None:
    assert report["database_megabytes"] < 512
