"""The contract of a weekly batch: its weeks, its rows, its file, and what is refused."""

from cinematch_dagster.batches.errors import BadBatchError, BadWeekError, DataError
from cinematch_dagster.batches.files import make_batches, read_batch, write_batch
from cinematch_dagster.batches.frame import has_half_stars
from cinematch_dagster.batches.weeks import batch_id, week_of, week_zero

__all__ = [
    "BadBatchError",
    "BadWeekError",
    "DataError",
    "batch_id",
    "has_half_stars",
    "make_batches",
    "read_batch",
    "week_of",
    "week_zero",
    "write_batch",
]
