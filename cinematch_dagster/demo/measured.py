"""What the scenario measured, read from the warehouse and the prepared files: `report.json`."""

import datetime
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg
from psycopg.rows import dict_row

from cinematch_dagster.demo.show import FIGURES
from cinematch_dagster.demo.traffic import Traffic
from cinematch_dagster.drift import ViewResult
from cinematch_dagster.drift.performance import WeekPerformance
from cinematch_dagster.pipeline.drift.recorded import recorded_weeks
from cinematch_dagster.warehouse.operations.maintenance import database_size

Connect = Callable[[], psycopg.Connection]
Row = dict[str, Any]


def _rows(connect: Connect, query: str) -> list[Row]:
    with connect() as connection:
        return connection.cursor(row_factory=dict_row).execute(query).fetchall()


def followed_user(prepared: Path) -> int:
    """Return the user of the first model's training data with most ratings in the batches."""
    initial = pd.read_parquet(prepared / "ratings_initial_ml.parquet")
    known = initial.loc[initial["data_split"] == "train", "userId"].unique()
    batches = pd.concat(
        pd.read_parquet(file, columns=["userId"])
        for file in sorted((prepared / "buffer_batches").glob("*.parquet"))
    )
    returning = batches.loc[batches["userId"].isin(known), "userId"]
    return int((returning if len(returning) else batches["userId"]).mode().iloc[0])


def weeks(connect: Connect) -> list[Row]:
    """Return a row a loaded week: size, verdict, alerts, both views (signed), performance."""
    with connect() as connection:
        history = recorded_weeks(connection)
    return [
        {
            "week": known.week.isoformat(),
            "batch_id": known.batch_id,
            "rows": known.report.per_batch.n,
            "injected": known.injected or False,
            "verdict": known.report.level.value,
            "alerts": [alert.feature_name for alert in known.report.alerts],
            "per_batch": _changes(known.report.per_batch),
            "cumulative": _changes(known.report.cumulative),
            "performance": _performance(known.performance),
        }
        for known in history
    ]


def _changes(view: ViewResult) -> dict[str, float]:
    return {test.feature_name: test.change for test in view.tests}


def _performance(found: WeekPerformance | None) -> Row | None:
    """Return how the model that the week found predicted it; None where there was none."""
    if found is None:
        return None
    return {
        "version": found.version,
        "rmse": found.scores.overall.rmse,
        "mae": found.scores.overall.mae,
        "against": asdict(found.own),
        "alert": any(test.triggered for test in found.verdict.tests),
    }


def decisions(connect: Connect) -> list[Row]:
    """Return every decision about a retraining, in the order in which they were made."""
    found = _rows(
        connect,
        "SELECT decision, reason, buffer_size, drift_score, weeks"
        " FROM retraining_decisions ORDER BY id",
    )
    return [row | {"weeks": [week.isoformat() for week in row["weeks"]]} for row in found]


def models(connect: Connect) -> list[Row]:
    """Return a row a trained model with the champion's figures on the very same rows."""
    found = _rows(
        connect,
        "SELECT m.model_version AS version, m.week, m.data_size, p.promoted, p.reason, p.scores"
        " FROM model_metrics m JOIN promotions p USING (mlflow_run_id)"
        " WHERE p.rolled_back_by IS NULL ORDER BY m.id",
    )
    result = []
    for row in found:
        scores = row.pop("scores")
        held_out, standing = _totals(scores["held_out"]), _totals(scores["standing"])
        primary = held_out or standing
        result.append(
            row
            | {"week": row["week"].isoformat()}
            | {name: primary["challenger"][name] for name in FIGURES}
            | {"champion": primary.get("champion"), "held_out": held_out, "standing": standing}
        )
    return result


def _totals(contenders: Row) -> Row:
    """Leave the slices out."""
    return {
        name: {figure: value for figure, value in scores.items() if figure != "slices"}
        for name, scores in contenders.items()
    }


def production(connect: Connect) -> Row:
    """Return the promotion that is in production: its version and when it was decided."""
    return _rows(
        connect,
        "SELECT version, decided_at FROM promotions WHERE promoted ORDER BY id DESC LIMIT 1",
    )[0]


def counts(connect: Connect) -> Row:
    """Return how many rows lie in `ratings` and in the buffer."""
    return _rows(
        connect,
        "SELECT (SELECT count(*) FROM ratings) AS ratings,"
        " (SELECT count(*) FROM ratings_buffer) AS ratings_buffer",
    )[0]


def database_megabytes(connect: Connect) -> int:
    """Return the size of the warehouse with its indexes, in MB of 10^6 bytes."""
    with connect() as connection:
        return round(database_size(connection) / 1e6)


def serving(connect: Connect, traffic: Traffic, before: Row, after: Row) -> Row:
    """Return what the client saw: answers by status and version, and the lists of its user."""
    newest = production(connect)
    decided: datetime.datetime = newest["decided_at"]
    return {
        "user_id": traffic.user_id,
        "requests": traffic.requests,
        "by_status": dict(traffic.by_status),
        "by_version": dict(traffic.by_version),
        "seconds_to_new_version": round(
            traffic.first_seen[newest["version"]] - decided.timestamp(), 2
        ),
        "recommendations_before": before["recommendations"],
        "recommendations_after": after["recommendations"],
    }
