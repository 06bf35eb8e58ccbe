"""Train, compare and promote: what a drift alert requests, and a person may."""

import dagster as dg

from cinematch_dagster.defs.partitions import model_weeks

trigger_retraining = dg.define_asset_job(
    "trigger_retraining",
    selection=dg.AssetSelection.assets("trained_model", "production_registration"),
    partitions_def=model_weeks,
    tags={"dagster/max_retries": "2", "dagster/retry_on_asset_or_op_failure": "true"},
    description="Train a challenger up to a week and promote it if it is better than the champion.",
)
