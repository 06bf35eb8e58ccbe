"""Train, compare and promote: what a drift alert requests, and a person may."""

import dagster as dg

trigger_retraining = dg.define_asset_job(
    "trigger_retraining",
    selection=dg.AssetSelection.assets("trained_model", "production_registration"),
    description="Train a challenger up to a week and promote it if it is better than the champion.",
)
