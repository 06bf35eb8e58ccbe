"""The job of this station, under the name that people know."""

import dagster as dg

data_preparation = dg.define_asset_job(
    "data_preparation",
    selection=dg.AssetSelection.groups("preparation")
    - dg.AssetSelection.assets("live_ratings_batch"),
    description="Clean, split and load MovieLens: the baseline, the movies and the batch files.",
)
