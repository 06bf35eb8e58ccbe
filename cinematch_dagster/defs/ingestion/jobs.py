"""The jobs of this station, under the names that people know."""

import dagster as dg

buffer_ingestion_weekly = dg.define_asset_job(
    "buffer_ingestion_weekly",
    selection=dg.AssetSelection.assets("ratings_buffer", "weekly_performance", "drift_report"),
    description="Load a week's batch file into the buffer, predict it, and test it for drift.",
)

live_ratings_weekly = dg.define_asset_job(
    "live_ratings_weekly",
    selection=dg.AssetSelection.assets("live_ratings_batch"),
    description="Write what people have rated through the API as the next week's batch file.",
)
