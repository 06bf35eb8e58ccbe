"""Whether what should come regularly still comes: weeks, models, the sensors' ticks."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from cinematch_dagster.settings import FreshnessSettings
from cinematch_dagster.warehouse.registry.promotions import in_production, promotion_of_run
from cinematch_dagster.warehouse.statements import scalar

#: What is looked at, by the names of Dagster's checks.
QUESTIONS = {
    "week_arrives": "A week was loaded within `freshness.week_max_days`.",
    "model_is_recent": "The model in production is younger than `freshness.model_max_days`.",
    "sensors_tick": (
        "Every sensor that is on has ticked without an error in `freshness.sensor_max_minutes`."
    ),
}


@dataclass(frozen=True)
class Finding:
    """The answer to one of `QUESTIONS`, in a sentence."""

    check: str
    passed: bool
    text: str


def week_arrives(
    connection: psycopg.Connection, limits: FreshnessSettings, now: datetime.datetime
) -> Finding:
    """Look at the load of the newest week, before the first one at the baseline's."""
    newest: datetime.datetime | None = scalar(
        connection,
        b"SELECT (array_agg(ingestion_date ORDER BY week DESC))[1] FROM ingestion_metadata"
        b" WHERE status = 'completed'",
    )
    return _age("week_arrives", "the newest load", newest, limits.week_max_days, now)


def model_is_recent(
    connection: psycopg.Connection, limits: FreshnessSettings, now: datetime.datetime
) -> Finding:
    """Look at when what is in production was promoted; a rollback makes it no younger."""
    champion = in_production(connection)
    promoted = champion and promotion_of_run(connection, champion.mlflow_run_id)
    since = promoted.decided_at if promoted else None
    return _age("model_is_recent", "the model in production", since, limits.model_max_days, now)


def _age(
    check: str,
    what: str,
    since: datetime.datetime | None,
    limit_days: float,
    now: datetime.datetime,
) -> Finding:
    if since is None:
        return Finding(check, True, f"{what}: there is none yet")
    days = (now - since).total_seconds() / 86_400
    text = f"{what} is {days:.1f} days old (at most {limit_days:g} expected)"
    return Finding(check, days <= limit_days, text)


def sensors_tick(
    ticks: Mapping[str, float | None], limits: FreshnessSettings, now: datetime.datetime
) -> Finding:
    """Look at when (unix seconds) each sensor that is on has ticked last; None is never.

    A tick that failed is none.
    """
    limit = limits.sensor_max_minutes * 60
    silent = [
        f"{name} " + ("never" if at is None else f"{(now.timestamp() - at) / 60:.0f} minutes ago")
        for name, at in sorted(ticks.items())
        if at is None or now.timestamp() - at > limit
    ]
    if silent:
        minutes = limits.sensor_max_minutes
        text = f"last good tick of {', '.join(silent)} (at most {minutes:g} minutes expected)"
        return Finding("sensors_tick", False, text)
    return Finding("sensors_tick", bool(ticks), f"{len(ticks)} sensors tick")
