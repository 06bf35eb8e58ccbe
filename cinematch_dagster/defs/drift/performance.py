"""`weekly_performance`: one partition is one week, predicted by the model that it found."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import dagster as dg

from cinematch_dagster.defs.partitions import to_week, weeks
from cinematch_dagster.defs.resources import WarehouseResource
from cinematch_dagster.defs.retries import transient_faults
from cinematch_dagster.drift import Level
from cinematch_dagster.settings import load_settings

if TYPE_CHECKING:
    from cinematch_dagster.pipeline.drift.performance import WeekPerformance

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
    context: dg.AssetExecutionContext, warehouse: WarehouseResource
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Predict every week of the run; a prediction that fails, fails the run."""
    from cinematch_dagster.pipeline.drift.performance import check_performance

    for key in context.partition_keys:
        found = check_performance(warehouse.dsn, to_week(key), load_settings())
        context.add_asset_metadata(_metadata(found), partition_key=key)
    yield dg.MaterializeResult()
    yield dg.AssetCheckResult(
        check_name=PERFORMANCE_CHECK,
        passed=found is None or found.verdict.level is not Level.DRIFT,
        severity=dg.AssetCheckSeverity.WARN,
        description=NO_MODEL if found is None else found.verdict.level.value,
        metadata={"week": key, "reasons": _reasons(found)},
    )


def _reasons(found: "WeekPerformance | None") -> str:
    if found is None:
        return "no version was promoted for an earlier week"
    return ", ".join(found.verdict.reasons) or "none"


def _metadata(found: "WeekPerformance | None") -> dict[str, Any]:
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
        "slices": dg.MetadataValue.md(_table(slices)),
    }


def _table(slices: dict[str, dict[str, float | None] | None]) -> str:
    lines = [
        "| slice | rows | RMSE | MAE | users | hit rate at 10 |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, scores in slices.items():
        texts = [_text(value) for value in (scores or {"rows": 0}).values()]
        lines.append(f"| {' | '.join([name, *texts])} |")
    return "\n".join(lines)


def _text(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else f"{value:,}"
