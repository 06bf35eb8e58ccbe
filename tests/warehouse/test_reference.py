from dataclasses import replace
from typing import Any

import pandas as pd
import psycopg
import pytest
from psycopg.rows import dict_row

from cinematch_dagster.warehouse.drift.alerts import AlertRow, record_alerts
from cinematch_dagster.warehouse.drift.verdicts import Verdict, record_verdict
from cinematch_dagster.warehouse.ingestion.baseline import load_baseline, load_movies
from cinematch_dagster.warehouse.ingestion.batches import load_batch
from cinematch_dagster.warehouse.registry.promotions import merge_buffer, record_promotion
from cinematch_dagster.warehouse.retraining.decisions import Decision, record_decision
from cinematch_dagster.warehouse.statements import reference_queries
from cinematch_dagster.warehouse.training.model_metrics import record_metrics
from tests.warehouse.support import batch, frame, promotion, stars, week

QUERIES = reference_queries()


def ask(
    connection: psycopg.Connection, name: str, old: str = "", new: str = ""
) -> list[dict[str, Any]]:
    """Run a query as it is shipped, but for one edit as its comment asks for."""
    text = QUERIES[name].decode()
    assert old in text
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(text.replace(old, new).encode() if old else text.encode()).fetchall()


def check(connection: psycopg.Connection, number: int, score: float) -> None:
    """Write an alert and a verdict of one test."""
    fired, sha256 = score > 0.1, f"sha {number}"
    alert = AlertRow(week(number), "cumulative", "rating_mean", score, 0.1, fired, sha256)
    record_alerts(connection, [alert])
    test = {"feature_name": "rating_mean", "score": score, "threshold": 0.1, "triggered": fired}
    verdict = Verdict(week(number), "cumulative", None, None, True, [test], None)
    verdict = replace(verdict, input_digest=sha256)
    record_verdict(connection, verdict)


@pytest.fixture
def filled(warehouse_dsn: str, connection: psycopg.Connection) -> psycopg.Connection:
    """A baseline, week 1 merged by version 2, week 2 in the buffer; version 3 was not promoted."""
    movies = {
        "movieId": [1, 2, 3],
        "title": ["Heat", "Amélie", "Brazil"],
        "genres": ["Crime", "Comedy", "Comedy"],
        "pca_features": [[0.0] * 10] * 3,
    }
    load_movies(connection, pd.DataFrame(movies))
    baseline = stars(1.0, 1.0, 2.0, 5.0).assign(data_split=["train"] * 3 + ["test"])
    load_baseline(connection, baseline, "a", week(0))
    connection.commit()
    load_batch(warehouse_dsn, batch(1, frame([(5, 3, 4.0, 50)]), held_out_share=0.0))
    for version, number, rmse in (("1", 0, 0.95), ("2", 1, 0.90), ("3", 2, 0.93)):
        record_metrics(
            connection, mlflow_run_id=f"mlflow-{version}", week=week(number), rmse=rmse,
            mae=rmse - 0.2, precision_at_10=0.25, data_size=10,
        )  # fmt: skip
        before = str(int(version) - 1) if version > "1" else None
        record_promotion(
            connection, promotion(version, number, promoted=version < "3", from_version=before)
        )
        connection.execute(
            "UPDATE promotions SET decided_at = %s WHERE version = %s",
            [f"2024-02-0{version} 12:00+00", version],
        )
        if version == "2":
            merge_buffer(connection, week(1), "2", "merge")
    connection.commit()
    load_batch(warehouse_dsn, batch(2, frame([(6, 3, 4.5, 60), (7, 3, 4.0, 61), (7, 1, 2.0, 62)])))
    for number, score in ((1, 0.3), (2, 0.05), (2, 0.2)):
        check(connection, number, score)
    return connection


def test_every_query_is_tested_here_and_says_what_it_is_for() -> None:
    assert list(QUERIES) == [
        "best_model",
        "distribution_difference",
        "drift_trend",
        "in_production_on_a_date",
        "metrics_run_over_run",
        "most_popular",
        "retraining_needed",
    ]
    assert all(text.startswith(b"-- ") for text in QUERIES.values())


@pytest.mark.parametrize("name", QUERIES)
def test_it_answers_on_an_empty_warehouse(connection: psycopg.Connection, name: str) -> None:
    expected = {"distribution_difference": 10, "retraining_needed": 1}
    assert len(ask(connection, name)) == expected.get(name, 0)


def test_metrics_run_over_run(filled: psycopg.Connection) -> None:
    found = pd.DataFrame(ask(filled, "metrics_run_over_run"))
    assert found["model_version"].tolist() == ["1", "2", "3"]
    assert found["rmse_change"].round(6).tolist()[1:] == [-0.05, 0.03]
    assert found["precision_change"].tolist()[1:] == [0.0, 0.0]
    assert pd.isna(found["mae_change"][0])


def test_the_best_model(filled: psycopg.Connection) -> None:
    (found,) = ask(filled, "best_model")
    assert (found["model_version"], found["rmse"], found["promoted"]) == ("2", 0.9, True)


def test_the_drift_trend_takes_the_last_check_of_each_week(filled: psycopg.Connection) -> None:
    found = ask(filled, "drift_trend")
    assert [(r["week"], r["drift_score"], r["alert_triggered"]) for r in found] == [
        (week(1), 0.3, True),
        (week(2), 0.2, True),
    ]
    assert [r["share_of_threshold"] for r in found] == pytest.approx([3.0, 2.0])


def test_whether_a_retraining_is_needed(filled: psycopg.Connection) -> None:
    (found,) = ask(filled, "retraining_needed")
    assert (found["needed"], found["open_alerts"], found["buffer_size"]) == (False, 2, 3)
    (found,) = ask(filled, "retraining_needed", "SELECT 50000", "SELECT 3")
    assert (found["needed"], found["target_week"]) == (True, week(2))
    assert found["worst_share_of_threshold"] == pytest.approx(3.0)

    used = Decision("trigger_actual", "drift", 3, 0.3, (1, 3), (week(2),), week(2), "key")
    record_decision(filled, used)
    (found,) = ask(filled, "retraining_needed", "SELECT 50000", "SELECT 3")
    assert (found["needed"], found["open_alerts"], found["target_week"]) == (False, 0, None)


def test_the_difference_of_the_distributions(filled: psycopg.Connection) -> None:
    found = pd.DataFrame(ask(filled, "distribution_difference")).set_index("rating")
    # Train is 1, 1, 2 and week 1's 4; week 2 is 4.5, 4 and 2.
    assert found["baseline"].to_dict() == dict.fromkeys(found.index, 0) | {1: 50, 2: 25, 4: 25}
    third = dict.fromkeys((2.0, 4.0, 4.5), 33.33)
    assert found["this_week"].to_dict() == dict.fromkeys(found.index, 0) | third
    assert found["since_retraining"].equals(found["this_week"].rename("since_retraining"))
    assert found.loc[[1.0, 2.0, 4.5], "week_difference"].tolist() == [-50, 8.33, 33.33]


def test_the_most_popular_movies_count_the_buffer_too(filled: psycopg.Connection) -> None:
    found = ask(filled, "most_popular")
    assert [(r["title"], r["ratings"]) for r in found] == [
        ("Brazil", 4),  # 2 and 4 stars in `ratings`, 4.5 and 4 in the buffer
        ("Heat", 2),
        ("Amélie", 1),
        (None, 1),  # a movie that the catalogue lacks
    ]
    assert found[0]["mean_rating"] == pytest.approx(14.5 / 4)


@pytest.mark.parametrize(
    ("moment", "version"),
    [
        ("2024-02-01 11:59+00", None),
        ("2024-02-01 12:00+00", "1"),
        ("2024-02-03 00:00+00", "2"),
        ("2024-03-01 00:00+00", "2"),  # version 3 was not promoted
    ],
)
def test_what_was_in_production_on_a_date(
    filled: psycopg.Connection, moment: str, version: str | None
) -> None:
    found = ask(filled, "in_production_on_a_date", "now()", f"timestamptz '{moment}'")
    assert [row["version"] for row in found] == ([version] if version else [])
    if version == "2":
        assert (found[0]["replaced"], found[0]["reason"]) == ("1", "better")
