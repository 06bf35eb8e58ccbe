"""The jobs of this station, under the names that people know."""

import dagster as dg

from cinematch_dagster.defs.operations import checks

database_maintenance = dg.define_asset_job(
    "database_maintenance",
    selection=dg.AssetSelection.assets("database_size"),
    description="Archive old alerts, VACUUM ANALYZE, and measure the database.",
)

freshness_checks = dg.define_asset_job(
    "freshness_checks",
    selection=dg.AssetSelection.checks(*checks.CHECKS),
    description="Has a week arrived, is the model recent, do the sensors tick?",
)
