"""How each week was predicted by the version that it found: the table `weekly_performance`."""

import datetime
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from cinematch_dagster.drift import Errors
from cinematch_dagster.drift.performance import WeekPerformance, WeekScores, WeekSlice
from cinematch_dagster.warehouse.drift.verdicts import Verdict
from cinematch_dagster.warehouse.statements import query


def record_performance(
    connection: psycopg.Connection, week: datetime.date, found: WeekPerformance
) -> None:
    """Write a week's scores; the newest computation replaces the one before."""
    scores = {"own": asdict(found.own), **asdict(found.scores)}
    values = {"week": week, "version": found.version, "scores": Jsonb(scores)}
    connection.execute(query("drift/performance_upsert"), values)


def recorded_performance(
    connection: psycopg.Connection, verdicts: Mapping[datetime.date, Verdict]
) -> dict[datetime.date, WeekPerformance]:
    """Return what was measured on weeks, each with the verdict on it."""
    found = connection.execute(
        "SELECT week, version, scores FROM weekly_performance WHERE week = ANY (%s)",
        [list(verdicts)],
    )
    return {
        week: WeekPerformance(
            version=version,
            own=Errors(**scores["own"]),
            scores=_scores(scores),
            verdict=verdicts[week].as_performance(),
            policy=verdicts[week].decided_under,
            input_digest=verdicts[week].input_digest,
        )
        for week, version, scores in found
    }


def _scores(stored: Mapping[str, Any]) -> WeekScores:
    slices = {field.name: stored.get(field.name) for field in fields(WeekScores)}
    return WeekScores(**{name: WeekSlice(**one) if one else None for name, one in slices.items()})  # type: ignore[arg-type]  # `overall` is always there
