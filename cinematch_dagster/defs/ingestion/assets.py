"""`live_ratings_batch` and `ratings_buffer`: how weekly files come about, and into Postgres."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import dagster as dg
import pandas as pd
import psycopg

from cinematch_dagster.batches import BadBatchError
from cinematch_dagster.defs.partitions import to_week, weeks
from cinematch_dagster.defs.resources import WarehouseResource
from cinematch_dagster.defs.retries import final, transient_faults
from cinematch_dagster.pipeline.ingestion.live_ratings import NoWeekLeftError, write_out
from cinematch_dagster.pipeline.ingestion.load import FINDINGS, LoadedWeek, load_week
from cinematch_dagster.settings import Settings
from cinematch_dagster.warehouse.ingestion.metadata import IngestionError, ingestion

REFUSALS = (BadBatchError, FileNotFoundError, IngestionError)


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
def live_ratings_batch(
    warehouse: WarehouseResource, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult[None]:
    """Write the file, if any rating waits."""
    with final(NoWeekLeftError):
        written = write_out(warehouse.dsn, settings)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(batch.rows for batch in written),
            "batches": {batch.batch_id: batch.rows for batch in written},
        }
    )


@dg.asset(
    group_name="ingestion",
    kinds={"postgres", "parquet"},
    owners=["team:data-platform"],
    deps=["buffer_batches", "live_ratings_batch", "ratings", "movies"],
    partitions_def=weeks,
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool="ingestion",
    retry_policy=transient_faults,
    check_specs=[
        dg.AssetCheckSpec(name, asset="ratings_buffer", description=text)
        for name, text in FINDINGS.items()
    ],
    description=(
        "New ratings, one week per partition. `landing_folder_sensor` sees the week's file in the "
        "landing folder; it is loaded whole or not at all, and the same file again changes nothing."
    ),
)
def ratings_buffer(
    context: dg.AssetExecutionContext,
    warehouse: WarehouseResource,
    settings: dg.ResourceParam[Settings],
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Load every week of the run; a week that can't be loaded does not take the others along."""
    loaded: dict[str, list[LoadedWeek]] = {}
    refused: list[str] = []
    unread: list[str] = []
    dsn = warehouse.dsn
    with warehouse.connection() as connection:
        for key in context.partition_keys:
            try:
                loaded[key] = load_week(dsn, to_week(key), settings, connection)
            except REFUSALS as error:
                refused.append(str(error))
            except OSError as error:
                unread.append(str(error))
    with warehouse.transaction() as connection:
        shown = {key: _metadata(connection, batches) for key, batches in loaded.items()}
    if refused or unread:
        for key, metadata in shown.items():
            context.log_event(
                dg.AssetMaterialization(context.asset_key, partition=key, metadata=metadata)
            )
        raise dg.Failure("; ".join([*refused, *unread]), allow_retries=bool(unread))
    for key, metadata in shown.items():
        context.add_asset_metadata(metadata, partition_key=key)
    yield dg.MaterializeResult()
    yield from (_check(name, list(chain(*loaded.values()))) for name in FINDINGS)


def _check(name: str, loaded: list[LoadedWeek]) -> dg.AssetCheckResult:
    """Warn of what was found in any week of the run."""
    found = [f"{w.result.batch_id}: {text}" for w in loaded if (text := w.findings[name])]
    return dg.AssetCheckResult(
        check_name=name,
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(found) or FINDINGS[name],
    )


def _metadata(connection: psycopg.Connection, batches: list[LoadedWeek]) -> dict[str, Any]:
    """Describe a week by its batches: the feed's, the one of live ratings, or both."""
    recorded = [ingestion(connection, batch.result.batch_id) for batch in batches]
    stars = pd.concat([batch.ratings["rating"] for batch in batches])
    return {
        "dagster/row_count": len(stars),
        "batch_id": ", ".join(batch.result.batch_id for batch in batches),
        "rows_in_file": len(stars),
        "rows_in_table": sum(batch.result.rows for batch in batches),
        "record_count": sum(known.record_count for known in recorded if known),
        "held_out": sum(batch.held_out for batch in batches),
        "outcome": ", ".join(batch.result.outcome for batch in batches),
        "injected drift": ", ".join(b.injected for b in batches if b.injected) or "none",
        "mean_rating": float(stars.mean()),
        "file": dg.MetadataValue.path(str(batches[0].path)),
    }
