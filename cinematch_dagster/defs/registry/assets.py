"""`production_registration`: the challenger meets the champion; the better one is served."""

import dagster as dg

from cinematch_dagster.defs.partitions import model_weeks, to_week
from cinematch_dagster.defs.resources import WarehouseResource
from cinematch_dagster.defs.retries import transient_faults
from cinematch_dagster.settings import Settings


@dg.asset(
    group_name="registry",
    kinds={"mlflow", "postgres"},
    owners=["team:machine-learning"],
    partitions_def=model_weeks,
    deps=["trained_model"],
    pool="retrain",
    retry_policy=transient_faults,
    description=(
        "The challenger becomes a registered version and is compared with the champion on the "
        "very same rows. Better: it gets the alias `production`, which the API follows, and the "
        "buffer is merged into `ratings`. Otherwise the champion stays. Either way the reason is "
        "kept."
    ),
)
def production_registration(
    context: dg.AssetExecutionContext,
    warehouse: WarehouseResource,
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult[None]:
    """Register, compare, decide, promote or keep."""
    from cinematch_dagster.pipeline.registry.registration import register
    from cinematch_dagster.recommenders.gate.words import markdown

    outcome = register(warehouse.dsn, to_week(context.partition_key), settings, context.run_id)
    return dg.MaterializeResult(
        metadata={
            "version": outcome.version,
            "promoted": outcome.promoted,
            "reason": outcome.reason,
            "champion before": outcome.from_version or "none",
            "buffer policy": outcome.buffer_policy or "buffer left alone",
            "comparison": dg.MetadataValue.md(markdown(outcome.scores)),
            "scores": dg.MetadataValue.json(outcome.scores),
        }
    )
