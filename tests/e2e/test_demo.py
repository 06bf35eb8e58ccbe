"""The story, told by the real command with real processes; judged by its report and database."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cinematch_dagster.postgres import embedded
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.postgres.dsn import with_database
from cinematch_dagster.settings import ROOT
from tests.e2e.support import cinematch, processes_of

pytestmark = pytest.mark.timeout(1_300)  # on a slow machine whose cores have other tests as well
KS, MEAN, STD = "rating_distribution_ks", "rating_mean", "rating_std"
HELD_OUT = 5_754  # a fifth of each week
TESTED = 5 * 959  # the last week is the one before it again, and of a pair the latest counts
# Computed independently with scipy and pandas: rows, then (KS, mean, std) alone and so far.
WEEKS = [
    (4796, (0.0295, -0.0070, 0.0118), (0.0295, -0.0070, 0.0118)),
    (4796, (0.0720, 0.0411, -0.0063), (0.0329, 0.0170, 0.0063)),
    (4797, (0.0578, 0.0215, 0.0746), (0.0411, 0.0185, 0.0295)),
    (4796, (0.0420, 0.0003, 0.1069), (0.0370, 0.0140, 0.0498)),
    (4797, (0.1217, -0.0435, 0.1714), (0.0385, 0.0025, 0.0782)),
    (4797, (0.3770, 0.1876, -0.0304), (0.0949, 0.0333, 0.0881)),
]


@pytest.fixture(scope="module")
def demo(home: Path, environment: dict[str, str]) -> Path:
    """Run the demo once; returns its folder."""
    cinematch("demo", environment=environment, seconds=1_200)
    return home / "var" / "demo"


@pytest.fixture(scope="module")
def report(demo: Path) -> dict[str, Any]:
    return dict(json.loads((demo / "report.json").read_text()))


@pytest.fixture(scope="module")
def database(demo: Path) -> Iterator[psycopg.Connection]:
    cluster = demo / "state" / "postgres"
    with connect(with_database(embedded.start(cluster), "cinematch")) as connection:
        yield connection
    embedded.stop(cluster)


def rows(database: psycopg.Connection, query: str) -> list[tuple[Any, ...]]:
    return database.execute(query.encode()).fetchall()


def test_no_process_is_left(demo: Path) -> None:
    assert processes_of(demo) == []


def test_the_weeks_are_those_computed_independently(report: dict[str, Any]) -> None:
    weeks = report["weeks"]
    assert [w["batch_id"] for w in weeks] == [f"batch_w{n}" for n in range(1, 7)]
    assert [w["rows"] for w in weeks] == [week[0] for week in WEEKS]
    for found, (_, alone, so_far) in zip(weeks, WEEKS, strict=True):
        for view, expected in (("per_batch", alone), ("cumulative", so_far)):
            changes = [found[view][name] for name in (KS, MEAN, STD)]
            assert changes == pytest.approx(expected, abs=5.1e-5)


def test_only_the_injected_week_alerts_and_says_that_it_is_injected(report: dict[str, Any]) -> None:
    weeks = report["weeks"]
    assert [w["alerts"] for w in weeks] == [[], [], [], [], [], [KS]]
    assert [w["injected"] for w in weeks] == [False] * 5 + ["shift +1.0"]
    assert [w["verdict"].split(" - ")[0] for w in weeks] == [
        "NO DRIFT",
        *["EARLY DRIFT SIGNALS"] * 4,
        "DRIFT DETECTED",
    ]


def test_one_retraining_was_decided_on_with_its_reason(report: dict[str, Any]) -> None:
    decisions = report["decisions"]
    assert [d["decision"] for d in decisions] == ["no_action"] * 5 + ["trigger_actual"]
    assert decisions[-1]["weeks"] == [report["weeks"][-1]["week"]]
    assert decisions[-1]["buffer_size"] == sum(week[0] for week in WEEKS)
    assert decisions[-1]["drift_score"] == pytest.approx(0.0949, abs=5e-5)


def test_the_challenger_won_on_the_same_rows(report: dict[str, Any]) -> None:
    first, second = report["models"]
    assert (first["promoted"], second["promoted"]) == (True, True)
    assert (first["data_size"], first["champion"]) == (25_179, None)
    held_out = second["held_out"]
    # each user's earlier half is folded in, the later one is scored
    assert held_out["challenger"]["rows"] == held_out["champion"]["rows"] > TESTED / 2
    assert second["rmse"] == held_out["challenger"]["rmse"] < second["champion"]["rmse"]
    assert second["reason"].startswith("Promoted: RMSE")
    assert "fewer ranked users" in second["reason"]
    assert "RMSE and the floors decided" in second["reason"]


def test_the_models_are_as_good_as_the_documents_say(report: dict[str, Any]) -> None:
    shown = json.loads((ROOT / "docs" / "simulation.json").read_text())["models"]
    for name in ("rmse", "mae"):
        measured = [model[name] for model in report["models"]]
        assert measured == pytest.approx([model[name] for model in shown], abs=0.002)


def test_the_api_changed_models_without_one_failed_request(report: dict[str, Any]) -> None:
    serving = report["serving"]
    first, second = (m["version"] for m in report["models"])
    assert set(serving["by_status"]) == {"200"}
    assert serving["by_status"]["200"] == serving["requests"] > 100
    assert set(serving["by_version"]) == {first, second}
    assert serving["seconds_to_new_version"] < 60
    before, after = serving["recommendations_before"], serving["recommendations_after"]
    assert len(before) == len(after) == 10
    assert all(r["title"] and r["reason"] for r in before + after)
    assert before != after


def test_the_last_batch_once_more_changed_nothing_and_said_so(report: dict[str, Any]) -> None:
    again = report["dropped_again"]
    assert again["runs_started"] == 0
    assert again["rows_before"] == again["rows_after"]
    assert "nothing changes" in again["said"]


def test_the_buffer_was_merged_and_no_row_was_lost(
    report: dict[str, Any], database: psycopg.Connection
) -> None:
    loaded = 35_971 + sum(week[0] for week in WEEKS)
    assert rows(database, "SELECT count(*) FROM ratings") == [(loaded,)]
    assert rows(database, "SELECT count(*) FROM ratings_buffer") == [(0,)]
    ((test_rows,),) = rows(database, "SELECT count(*) FROM ratings WHERE data_split = 'test'")
    assert test_rows == 10_792 + HELD_OUT
    assert rows(
        database,
        "SELECT DISTINCT status, merged_version FROM ingestion_metadata"
        " WHERE batch_id <> 'baseline'",
    ) == [("completed", report["models"][1]["version"])]


def test_every_check_and_every_model_left_its_rows(database: psycopg.Connection) -> None:
    assert rows(
        database, "SELECT feature_name, count(*) FROM drift_alerts GROUP BY 1 ORDER BY 1"
    ) == [("performance_mae", 6), ("performance_rmse", 6), (KS, 12), (MEAN, 12), (STD, 12)]
    assert rows(
        database, "SELECT feature_name FROM drift_alerts WHERE alert_triggered ORDER BY id"
    ) == [("performance_mae",), (KS,)]
    assert rows(
        database,
        "SELECT count(*), count(rmse), count(mae), count(precision_at_10) FROM model_metrics",
    ) == [(2, 2, 2, 2)]
    assert rows(database, "SELECT version, from_version, promoted FROM promotions ORDER BY id") == [
        ("1", None, True),
        ("2", "1", True),
    ]
