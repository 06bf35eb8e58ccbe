"""The job of this station, under the name that people know."""

import dagster as dg

drift_monitoring = dg.define_asset_job(
    "drift_monitoring",
    selection=dg.AssetSelection.assets("drift_report"),
    description="Compute drift reports again, of weeks that are loaded.",
)
