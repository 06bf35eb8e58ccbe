"""`ratings_buffer`: one partition is one weekly batch, loaded whole or not at all."""

import datetime
from typing import Any

import dagster as dg

from cinematch_dagster.defs.ingestion.landing import batch_path, file_sha256
from cinematch_dagster.defs.partitions import to_week, weeks
from cinematch_dagster.defs.resources import WarehouseResource
from cinematch_dagster.movielens import BadBatchError, batch_id, read_batch
from cinematch_dagster.settings import load_settings
from cinematch_dagster.warehouse.batches import Batch, load_batch, record_failure
from cinematch_dagster.warehouse.ingestion import ingestion


@dg.asset(
    group_name="ingestion",
    kinds={"postgres", "parquet"},
    owners=["team:data-platform"],
    deps=["buffer_batches", "ratings"],
    partitions_def=weeks,
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool="ingestion",
    description=(
        "New ratings, one week per partition. `landing_folder_sensor` sees the week's file in the "
        "landing folder; it is loaded whole or not at all, and the same file again changes nothing."
    ),
)
def ratings_buffer(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource
) -> dg.MaterializeResult[None]:
    """Load every week of the run; a week that can't be loaded does not take the others along."""
    loaded: dict[str, dict[str, Any]] = {}
    refused: list[str] = []
    for key in context.partition_keys:
        try:
            loaded[key] = _load(warehouse, to_week(key))
        except (BadBatchError, FileNotFoundError) as error:
            refused.append(str(error))
    if refused:
        for key, metadata in loaded.items():
            context.log_event(
                dg.AssetMaterialization(context.asset_key, partition=key, metadata=metadata)
            )
        raise dg.Failure("; ".join(refused), allow_retries=False)
    for key, metadata in loaded.items():
        context.add_asset_metadata(metadata, partition_key=key)
    return dg.MaterializeResult()


def _load(warehouse: WarehouseResource, week: datetime.date) -> dict[str, Any]:
    settings = load_settings()
    name = batch_id(week, settings.data.first_week)
    path = batch_path(settings.landing_dir, name)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: week {week} has no batch file, {path.name} was expected")
    sha256 = file_sha256(path)
    try:
        ratings, injected = read_batch(path)
    except BadBatchError as error:
        with warehouse.transaction() as connection:
            record_failure(connection, name, week, sha256, str(error))
        raise
    batch = Batch(name, week, ratings, sha256, injected, settings.training.held_out_share)
    result = load_batch(warehouse.dsn, batch)
    with warehouse.transaction() as connection:
        recorded = ingestion(connection, name)
    return {
        "dagster/row_count": len(ratings),
        "batch_id": name,
        "rows_in_file": len(ratings),
        "rows_in_table": result.rows,
        "record_count": recorded.record_count if recorded else 0,
        "outcome": result.outcome,
        "injected drift": injected or "none",
        "mean_rating": float(ratings["rating"].mean()),
        "file": dg.MetadataValue.path(str(path)),
    }
