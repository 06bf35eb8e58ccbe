"""The job of this station, under the name that people know."""

import dagster as dg

from cinematch_dagster.defs.partitions import model_weeks

model_training = dg.define_asset_job(
    "model_training",
    selection=dg.AssetSelection.assets("trained_model"),
    partitions_def=model_weeks,
    description="Train and evaluate a model up to a week and log it; nothing is promoted.",
)
