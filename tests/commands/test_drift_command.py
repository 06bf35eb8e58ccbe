import datetime
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from cinematch_dagster import cli
from cinematch_dagster.batches import BadWeekError
from cinematch_dagster.drift import DriftPolicy
from cinematch_dagster.pipeline.drift.report import check_week
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import load_settings
from cinematch_dagster.warehouse.ingestion.baseline import load_baseline
from cinematch_dagster.warehouse.ingestion.batches import Batch, load_batch

WEEK = datetime.date(2024, 1, 1)
Run = Callable[..., str]


def stars(ratings: list[float], user: int) -> pd.DataFrame:
    n = len(ratings)
    return pd.DataFrame(
        {
            "userId": np.full(n, user, "int32"),
            "movieId": np.arange(1, n + 1, dtype="int32"),
            "rating": np.array(ratings, "float32"),
            "timestamp": 1_100_000_000 + np.arange(n, dtype="int64"),
        }
    )


@pytest.fixture
def run(platform_settings: Path, warehouse_dsn: str) -> Run:
    """A baseline of 1 to 4 stars and a week of 4 and 5 stars; four ratings were enough."""
    assert platform_settings.is_dir()
    with connect(warehouse_dsn) as connection:
        baseline = stars([1, 2, 3, 4], user=1).assign(data_split="train")
        load_baseline(connection, baseline, "baseline", WEEK - datetime.timedelta(weeks=1))
    load_batch(warehouse_dsn, Batch("batch_w1", WEEK, stars([4, 4, 5, 5], 2), "w1", None, 0.2))
    with connect(warehouse_dsn) as connection:
        check_week(connection, WEEK, DriftPolicy(count_threshold=4))

    def invoke(*arguments: str) -> str:
        result = CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    return invoke


@pytest.mark.parametrize("name", ["2024-01-01", "batch_w1"])
def test_a_week_by_its_monday_or_its_batch(run: Run, name: str) -> None:
    found = json.loads(run("drift", "report", "--week", name, "--json"))
    assert found["week"] == "2024-01-01"
    assert found["verdict"].startswith("DRIFT DETECTED")
    assert found["alerts"] == ["rating_distribution_ks", "rating_mean", "rating_std"]
    changes = {t["feature_name"]: t["change"] for t in found["per_batch"]["tests"]}
    # by hand: 3 of 4 baseline ratings lie below the week's lowest; mean 2.5 -> 4.5
    assert changes["rating_distribution_ks"] == 0.75
    assert changes["rating_mean"] == pytest.approx(0.8)


def test_a_person_reads_the_verdict_first_and_then_each_test(run: Run) -> None:
    lines = run("drift", "report", "--week", "batch_w1").splitlines()
    assert lines[0].startswith("Week 2024-01-01: DRIFT DETECTED")
    text = "\n".join(lines)
    assert "rating_mean" in text
    assert "+0.8000" in text


def test_it_says_what_was_decided_whatever_the_settings_are_now(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run("drift", "report", "--week", "batch_w1", "--json")
    assert json.loads(before)["policy"]["count_threshold"] == 4
    for name in ("KS_THRESHOLD", "MEAN_THRESHOLD", "STD_THRESHOLD"):
        monkeypatch.setenv(f"CINEMATCH_DRIFT__{name}", "0.99")
    load_settings.cache_clear()
    assert run("drift", "report", "--week", "batch_w1", "--json") == before


def test_a_week_without_a_verdict_is_named(run: Run) -> None:
    result = CliRunner().invoke(cli.app, ("drift", "report", "--week", "batch_w2"))
    assert callable(run)
    assert result.exit_code == 1
    assert "Week 2024-01-08 has no verdict: materialize drift_report" in result.output


def test_a_name_that_is_no_week_is_refused(run: Run) -> None:
    with pytest.raises(BadWeekError, match="yesterday"):
        run("drift", "report", "--week", "yesterday")
