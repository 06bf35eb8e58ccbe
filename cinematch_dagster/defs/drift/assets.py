"""Each week against what the model was trained on: how well it is predicted, what has changed.

`weekly_performance` and `drift_report` have one partition a week.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import dagster as dg

from cinematch_dagster.defs.metadata import markdown_table, picture
from cinematch_dagster.defs.partitions import previous_week, to_week, weeks
from cinematch_dagster.defs.resources import WarehouseResource
from cinematch_dagster.defs.retries import transient_faults
from cinematch_dagster.drift import DriftReport, Level
from cinematch_dagster.pipeline.drift.report import check_week
from cinematch_dagster.pipeline.operations.pages import pictures
from cinematch_dagster.settings import Settings
from cinematch_dagster.warehouse.ingestion.batches import injected_drift

if TYPE_CHECKING:
    from cinematch_dagster.drift.performance import WeekPerformance

DRIFT_CHECK = "rating_drift"
PERFORMANCE_CHECK = "performance_drift"
NO_MODEL = "NO MODEL YET - NOTHING TO COMPARE"


@dg.asset(
    group_name="drift",
    kinds={"postgres", "mlflow", "numpy"},
    owners=["team:machine-learning"],
    partitions_def=weeks,
    deps=["ratings_buffer"],
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool="ingestion",
    retry_policy=transient_faults,
    check_specs=[
        dg.AssetCheckSpec(
            PERFORMANCE_CHECK,
            asset="weekly_performance",
            description="The model predicts the newest week about as well as its own test rows.",
        )
    ],
    description=(
        "Does the drift hurt? Each week's ratings are predicted by the model that was in "
        "production when they arrived, before anything is trained on them, and compared with that "
        "model's own test."
    ),
)
def weekly_performance(
    context: dg.AssetExecutionContext,
    warehouse: WarehouseResource,
    settings: dg.ResourceParam[Settings],
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Predict every week of the run; a prediction that fails, fails the run."""
    from cinematch_dagster.pipeline.drift.predicted_week import check_performance

    for key in context.partition_keys:
        found = check_performance(warehouse.dsn, to_week(key), settings)
        context.add_asset_metadata(_performance_metadata(found), partition_key=key)
    yield dg.MaterializeResult()
    yield dg.AssetCheckResult(
        check_name=PERFORMANCE_CHECK,
        passed=found is None or found.verdict.level is not Level.DRIFT,
        severity=dg.AssetCheckSeverity.WARN,
        description=NO_MODEL if found is None else found.verdict.level.value,
        metadata={"week": key, "reasons": _reasons(found)},
    )


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
    context: dg.AssetExecutionContext,
    warehouse: WarehouseResource,
    settings: dg.ResourceParam[Settings],
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Report every week of the run, in order, and show the newest as the check."""
    with warehouse.connection() as connection:
        for key in context.partition_keys:
            with connection.transaction():
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                report = check_week(connection, to_week(key), settings.drift, settings.evidence)
                injected = injected_drift(connection, to_week(key))
            page = dg.MetadataValue.url(f"{settings.reports_url}/{key}.html")
            context.add_asset_metadata(
                {"page": page, **_report_metadata(report), "injected drift": injected or "none"},
                partition_key=key,
            )
    with warehouse.transaction() as connection:
        reported = [to_week(key) for key in context.partition_keys]
        charts = pictures(connection, reported)
    for week, chart in charts.items():
        context.add_asset_metadata(
            {"charts": picture(chart.encode(), "svg+xml", "Drift")},
            partition_key=week.isoformat(),
        )
    yield dg.MaterializeResult()
    yield dg.AssetCheckResult(
        check_name=DRIFT_CHECK,
        passed=report.level is not Level.DRIFT,
        severity=dg.AssetCheckSeverity.WARN,
        description=report.level.value,
        metadata={"week": key, "reasons": ", ".join(report.reasons) or "none", **_changes(report)},
    )


def _report_metadata(report: DriftReport) -> dict[str, Any]:
    """Numbers that the UI plots over the weeks, and both views as a table."""
    return {
        "verdict": report.level.value,
        "reasons": ", ".join(report.reasons) or "none",
        "alerts": len(report.alerts),
        "rows in the week": report.per_batch.n,
        "rows since the last promotion": report.cumulative.n,
        "rows of the baseline": report.baseline_n,
        **_changes(report),
        "tests": markdown_table(
            ["view", "test", "score", "threshold", "alert"], _test_rows(report)
        ),
    }


def _changes(report: DriftReport) -> dict[str, float]:
    return {
        f"{test.feature_name} ({view.view})": test.change
        for view in (report.cumulative, report.per_batch)
        for test in view.tests
    }


def _test_rows(report: DriftReport) -> Iterator[list[str]]:
    for view in (report.cumulative, report.per_batch):
        for test in view.tests:
            alert = "yes" if test.triggered else "no"
            score, threshold = f"{test.score:.4f}", f"{test.threshold:g}"
            yield [view.view, test.feature_name, score, threshold, alert]


def _reasons(found: "WeekPerformance | None") -> str:
    if found is None:
        return "no version was promoted for an earlier week"
    return ", ".join(found.verdict.reasons) or "none"


def _performance_metadata(found: "WeekPerformance | None") -> dict[str, Any]:
    """Numbers that the UI plots over the weeks, and the slices as a table."""
    if found is None:
        return {"verdict": NO_MODEL, "reasons": _reasons(found), "alerts": 0}
    slices = asdict(found.scores)
    figures = {
        f"{name} ({slice_name})": value
        for slice_name, scores in slices.items()
        for name, value in (scores or {"rows": 0}).items()
        if value is not None
    }
    return {
        "verdict": found.verdict.level.value,
        "reasons": _reasons(found),
        "alerts": sum(test.triggered for test in found.verdict.tests),
        "version": found.version,
        **{f"{test.feature_name} (change)": test.change for test in found.verdict.tests},
        **{f"{name} (the version's own test)": value for name, value in asdict(found.own).items()},
        **figures,
        "slices": markdown_table(
            ["slice", "rows", "RMSE", "MAE", "users", "hit rate at 10"], _slice_rows(slices)
        ),
    }


def _slice_rows(slices: Mapping[str, Mapping[str, float | None] | None]) -> Iterator[list[str]]:
    for name, scores in slices.items():
        yield [name, *(_text(value) for value in (scores or {"rows": 0}).values())]


def _text(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else f"{value:,}"
