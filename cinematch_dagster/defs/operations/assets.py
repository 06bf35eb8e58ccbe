"""`database_size` after maintenance, and `platform_pages`, which a sensor writes."""

import dagster as dg

from cinematch_dagster.defs.metadata import markdown_table
from cinematch_dagster.defs.resources import WarehouseResource
from cinematch_dagster.defs.retries import transient_faults
from cinematch_dagster.warehouse.operations.maintenance import TableSize, maintain

COLUMNS = ["table", "rows", "MB", "of them indexes", "bytes a row"]


@dg.asset(
    group_name="operations",
    kinds={"postgres"},
    owners=["team:data-platform"],
    retry_policy=transient_faults,
    description=(
        "The warehouse after its maintenance: alerts older than 30 days moved into the archive, "
        "VACUUM ANALYZE, and the size of every table."
    ),
)
def database_size(warehouse: WarehouseResource) -> dg.MaterializeResult[None]:
    """Maintain the database; the UI plots its sizes over time."""
    done = maintain(warehouse.dsn)
    return dg.MaterializeResult(
        metadata={
            "database, MB": done.total_bytes / 1e6,
            "alerts archived": done.archived,
            **{f"{table.name}, MB": table.bytes / 1e6 for table in done.tables},
            "tables": markdown_table(COLUMNS, map(_row, done.tables)),
        }
    )


def _row(table: TableSize) -> list[str]:
    width = "-" if table.bytes_per_row is None else f"{table.bytes_per_row:.0f}"
    megabytes, indexes = table.bytes / 1e6, table.index_bytes / 1e6
    return [table.name, f"{table.rows:,}", f"{megabytes:.2f}", f"{indexes:.2f}", width]


platform_pages = dg.AssetSpec(
    "platform_pages",
    deps=["drift_report", "production_registration"],
    group_name="operations",
    kinds={"html", "json"},
    owners=["team:data-platform"],
    description=(
        "What the API shows of the platform: the drift reports' pages under `/reports/` and the "
        "dashboard's data. `pages_sensor` writes what has changed, and reports it here."
    ),
)
