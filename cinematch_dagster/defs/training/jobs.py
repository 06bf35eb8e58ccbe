"""The job of this station, under the name that people know."""

import dagster as dg

model_training = dg.define_asset_job(
    "model_training",
    selection=dg.AssetSelection.assets("trained_model"),
    description="Train and evaluate a model up to a week and log it; nothing is promoted.",
)
