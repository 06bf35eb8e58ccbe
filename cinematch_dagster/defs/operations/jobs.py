"""The job of this station, under the name that people know."""

import dagster as dg

database_maintenance = dg.define_asset_job(
    "database_maintenance",
    selection=dg.AssetSelection.assets("database_size"),
    description="Archive old alerts, VACUUM ANALYZE, and measure the database.",
)
