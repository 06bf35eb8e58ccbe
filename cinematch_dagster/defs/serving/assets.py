"""`recommendation_api`: where the graph ends; Dagster shows it, and doesn't run it."""

import dagster as dg

from cinematch_dagster.defs.definition_settings import API_ADDRESS

#: The API as an external asset: it asks MLflow which version is in production.
recommendation_api = dg.AssetSpec(
    "recommendation_api",
    deps=["production_registration"],
    group_name="serving",
    kinds={"fastapi", "numpy"},
    owners=["team:machine-learning"],
    description=(
        "Answers `/recommend` for people and applications with the version that has the alias "
        "`production`. It asks MLflow every few seconds and swaps models without a pause: no "
        "run of Dagster's is needed for it. Ratings that people give there come back as "
        "`live_ratings_batch`."
    ),
    metadata={
        "page of `make up`": dg.MetadataValue.url(f"{API_ADDRESS}/"),
        "version that answers": dg.MetadataValue.url(f"{API_ADDRESS}/version"),
    },
)
