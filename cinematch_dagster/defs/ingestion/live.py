"""`live_ratings_batch`: what people told the API, as a batch file of its own."""

import dagster as dg

from cinematch_dagster.defs.resources import WarehouseResource
from cinematch_dagster.defs.retries import final, transient_faults
from cinematch_dagster.pipeline.ingestion.live_ratings import NoWeekLeftError, write_out
from cinematch_dagster.settings import load_settings


@dg.asset(
    group_name="preparation",
    kinds={"postgres", "parquet"},
    owners=["team:data-platform"],
    retry_policy=transient_faults,
    description=(
        "Ratings that people gave through the API since the last time: written into the landing "
        "folder as `live_wN` of the next week, each exactly once. `landing_folder_sensor` takes it "
        "from there."
    ),
)
def live_ratings_batch(warehouse: WarehouseResource) -> dg.MaterializeResult[None]:
    """Write the file, if any rating waits."""
    with final(NoWeekLeftError):
        written = write_out(warehouse.dsn, load_settings())
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(batch.rows for batch in written),
            "batches": {batch.batch_id: batch.rows for batch in written},
        }
    )
