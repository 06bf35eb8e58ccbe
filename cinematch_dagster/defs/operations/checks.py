"""Checks of what should come regularly, on a schedule: silence shows up as a failed check."""

import datetime

import dagster as dg

from cinematch_dagster.defs.dagster_internals import last_ticks
from cinematch_dagster.defs.resources import WarehouseResource
from cinematch_dagster.pipeline.operations import freshness
from cinematch_dagster.pipeline.operations.freshness import QUESTIONS, Finding
from cinematch_dagster.settings import Settings


@dg.asset_check(asset="ratings_buffer", name="week_arrives", description=QUESTIONS["week_arrives"])
def week_arrives(
    warehouse: WarehouseResource, settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """Warn when no week has arrived for too long."""
    with warehouse.transaction() as connection:
        return _result(freshness.week_arrives(connection, settings.freshness, _now()))


@dg.asset_check(
    asset="production_registration",
    name="model_is_recent",
    description=QUESTIONS["model_is_recent"],
)
def model_is_recent(
    warehouse: WarehouseResource, settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """Warn when the model in production has grown old."""
    with warehouse.transaction() as connection:
        return _result(freshness.model_is_recent(connection, settings.freshness, _now()))


@dg.asset_check(asset="drift_report", name="sensors_tick", description=QUESTIONS["sensors_tick"])
def sensors_tick(
    context: dg.AssetCheckExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """Warn when a sensor that is on has fallen silent."""
    ticks = last_ticks(context.instance)
    return _result(freshness.sensors_tick(ticks, settings.freshness, _now()))


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _result(finding: Finding) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=finding.passed, severity=dg.AssetCheckSeverity.WARN, description=finding.text
    )


CHECKS = [week_arrives, model_is_recent, sensors_tick]
