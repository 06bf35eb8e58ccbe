"""The job of this station, under the name that people know."""

import dagster as dg

from cinematch_dagster.defs.partitions import weeks

drift_monitoring = dg.define_asset_job(
    "drift_monitoring",
    selection=dg.AssetSelection.assets("drift_report"),
    partitions_def=weeks,
    description="Compute drift reports again, of weeks that are loaded.",
)
