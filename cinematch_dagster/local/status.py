"""What is running, what lies in the buffer and what is in production, as plain values."""

import datetime
from dataclasses import asdict
from typing import Any

import httpx
import psycopg

from cinematch_dagster.local import platform
from cinematch_dagster.local.databases import NO_TABLES, running_warehouse
from cinematch_dagster.local.graphql import GraphqlError, ask
from cinematch_dagster.pipeline.operations.freshness import (
    Finding,
    model_is_recent,
    sensors_tick,
    week_arrives,
)
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.postgres.os_user import EmbeddedPostgresError
from cinematch_dagster.settings import Settings
from cinematch_dagster.warehouse.drift.verdicts import latest_verdicts, recorded_report
from cinematch_dagster.warehouse.ingestion.batches import buffer_status
from cinematch_dagster.warehouse.registry.promotions import in_production

_TICKS = """
query Ticks {
  sensorsOrError(repositorySelector: {
    repositoryLocationName: "cinematch", repositoryName: "__repository__"
  }) {
    ... on Sensors {
      results {
        name sensorState { status ticks(limit: 1, statuses: [SUCCESS, SKIPPED]) { timestamp } }
      }
    }
  }
}
"""


def platform_status(settings: Settings) -> dict[str, Any]:
    """Return the status, ready for JSON; nothing is started to find it out."""
    memory = platform.memory_megabytes(settings)
    found: dict[str, Any] = {
        "running": {name: f"{megabytes:.0f} MB" for name, megabytes in memory.items()}
    }
    try:
        with connect(running_warehouse(settings)) as connection:
            promotion = in_production(connection)
            status = buffer_status(connection)
            findings = _findings(connection, settings)
            drift = _drift(connection)
    except EmbeddedPostgresError as error:
        return found | {"warehouse": str(error)}
    except psycopg.errors.UndefinedTable:
        return found | {"warehouse": NO_TABLES}
    production = (
        {"version": promotion.version, "week": promotion.week, "reason": promotion.reason}
        if promotion
        else "no model yet"
    )
    fresh = [asdict(finding) for finding in findings]
    return found | {
        "in production": production,
        "drift": drift,
        "freshness": fresh,
        "buffer": status,
    }


def _drift(connection: psycopg.Connection) -> dict[str, Any] | str:
    """Return what was decided on the newest week that was reported."""
    verdicts = latest_verdicts(connection)
    if not verdicts:
        return "no week was reported yet"
    week = max(verdicts)
    report = recorded_report(verdicts[week])
    decided: dict[str, Any] = {"week": week}
    if report:
        decided |= {"verdict": report.level.value, "reasons": report.reasons}
    if performance := verdicts[week].get("performance"):
        decided["performance"] = performance.decided_level.value
    return decided


def _findings(connection: psycopg.Connection, settings: Settings) -> list[Finding]:
    """Ask what Dagster's checks ask; the ticks only where Dagster answers."""
    now = datetime.datetime.now(datetime.UTC)
    ticks = _last_ticks(f"http://127.0.0.1:{settings.dagster_port}")
    return [
        week_arrives(connection, settings.freshness, now),
        model_is_recent(connection, settings.freshness, now),
        Finding("sensors_tick", False, "Dagster does not answer")
        if ticks is None
        else sensors_tick(ticks, settings.freshness, now),
    ]


def _last_ticks(url: str) -> dict[str, float | None] | None:
    """Return when each sensor that is on has ticked last; None without an answer."""
    try:
        with httpx.Client(base_url=url, timeout=10.0) as client:
            sensors = ask(client, _TICKS)["sensorsOrError"]["results"]
    except (GraphqlError, KeyError):  # a code location that does not load has no sensors
        return None
    return {
        sensor["name"]: next((tick["timestamp"] for tick in sensor["sensorState"]["ticks"]), None)
        for sensor in sensors
        if sensor["sensorState"]["status"] == "RUNNING"
    }
