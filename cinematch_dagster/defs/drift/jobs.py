"""The job of this station, under the name that people know."""

import dagster as dg

drift_monitoring = dg.define_asset_job(
    "drift_monitoring",
    selection=dg.AssetSelection.assets("weekly_performance", "drift_report"),
    description="Compute the reports of loaded weeks again, and how well their model did.",
)
