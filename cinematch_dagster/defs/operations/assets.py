"""`database_size`: what the warehouse takes on disk, after it was put in order."""

import dagster as dg

from cinematch_dagster.defs.resources import WarehouseResource
from cinematch_dagster.defs.retries import transient_faults
from cinematch_dagster.warehouse.operations.maintenance import TableSize, maintain


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
            "tables": dg.MetadataValue.md(_table(done.tables)),
        }
    )


def _table(tables: tuple[TableSize, ...]) -> str:
    head = [
        "| table | rows | MB | of them indexes | bytes a row |",
        "| --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *map(_line, tables)])


def _line(table: TableSize) -> str:
    width = "-" if table.bytes_per_row is None else f"{table.bytes_per_row:.0f}"
    megabytes, indexes = table.bytes / 1e6, table.index_bytes / 1e6
    return f"| {table.name} | {table.rows:,} | {megabytes:.2f} | {indexes:.2f} | {width} |"
