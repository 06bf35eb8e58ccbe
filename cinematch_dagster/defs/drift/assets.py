"""`drift_report`: one partition is one week, alone and cumulated, against the training data."""

import base64
from collections.abc import Iterator
from typing import Any

import dagster as dg

from cinematch_dagster.defs.partitions import previous_week, to_week, weeks
from cinematch_dagster.defs.resources import WarehouseResource
from cinematch_dagster.defs.retries import transient_faults
from cinematch_dagster.drift import DriftReport, Level, ViewResult
from cinematch_dagster.pipeline.drift.report import check_week
from cinematch_dagster.pipeline.operations.pages import write_pages
from cinematch_dagster.settings import load_settings
from cinematch_dagster.warehouse.ingestion.batches import injected_drift

DRIFT_CHECK = "rating_drift"


@dg.asset(
    group_name="drift",
    kinds={"postgres", "scipy"},
    owners=["team:data-platform"],
    partitions_def=weeks,
    deps=[
        "ratings_buffer",
        "weekly_performance",  # its alerts are there when the sensor sees the report
        dg.AssetDep("drift_report", partition_mapping=previous_week),
    ],
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool="ingestion",
    retry_policy=transient_faults,
    check_specs=[
        dg.AssetCheckSpec(
            DRIFT_CHECK,
            asset="drift_report",
            description="The newest week raises no drift alert.",
        )
    ],
    description=(
        "Have the ratings changed since the model was trained? Three tests (Kolmogorov-Smirnov, "
        "mean, standard deviation) of the week alone and of everything since the last promotion. "
        "`drift_alert_sensor` reads every report and requests `trained_model` when there is an "
        "alert and enough new data."
    ),
)
def drift_report(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Report every week of the run, in order, and show the newest as the check."""
    settings = load_settings()
    with warehouse.connection() as connection:
        for key in context.partition_keys:
            with connection.transaction():
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                report = check_week(connection, to_week(key), settings.drift, settings.evidence)
                injected = injected_drift(connection, to_week(key))
            page = dg.MetadataValue.url(f"{settings.reports_url}/{key}.html")
            context.add_asset_metadata(
                {"page": page, **_metadata(report), "injected drift": injected or "none"},
                partition_key=key,
            )
    with warehouse.transaction() as connection:
        reported = [to_week(key) for key in context.partition_keys]
        charts = write_pages(connection, reported, settings)
    for week in charts.keys() & reported:
        context.add_asset_metadata({"charts": _image(charts[week])}, partition_key=week.isoformat())
    yield dg.MaterializeResult()
    yield dg.AssetCheckResult(
        check_name=DRIFT_CHECK,
        passed=report.level is not Level.DRIFT,
        severity=dg.AssetCheckSeverity.WARN,
        description=report.level.value,
        metadata={"week": key, "reasons": ", ".join(report.reasons) or "none", **_changes(report)},
    )


def _metadata(report: DriftReport) -> dict[str, Any]:
    """Numbers that the UI plots over the weeks, and both views as a table."""
    return {
        "verdict": report.level.value,
        "reasons": ", ".join(report.reasons) or "none",
        "alerts": len(report.alerts),
        "rows in the week": report.per_batch.n,
        "rows since the last promotion": report.cumulative.n,
        "rows of the baseline": report.baseline_n,
        **_changes(report),
        "tests": dg.MetadataValue.md(_table(report)),
    }


def _image(svg: str) -> dg.MarkdownMetadataValue:
    """Put a picture into Markdown itself, which is where the UI allows `data:` addresses."""
    content = base64.b64encode(svg.encode()).decode()
    return dg.MetadataValue.md(f"![Drift](data:image/svg+xml;base64,{content})")


def _changes(report: DriftReport) -> dict[str, float]:
    return {
        f"{test.feature_name} ({view.view})": test.change
        for view in (report.cumulative, report.per_batch)
        for test in view.tests
    }


def _table(report: DriftReport) -> str:
    lines = ["| view | test | score | threshold | alert |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*lines, *_lines(report.cumulative), *_lines(report.per_batch)])


def _lines(view: ViewResult) -> list[str]:
    return [
        f"| {view.view} | {t.feature_name} | {t.score:.4f} | {t.threshold:g} "
        f"| {'yes' if t.triggered else 'no'} |"
        for t in view.tests
    ]
