"""What the platform needs of Dagster and Dagster has no public name for; no other file reaches in.

Any minor version may change it: `pyproject.toml` says up to which version this was tried, and
`tests/defs/test_dagster_internals.py` what breaks without each of these names.
"""

import dagster as dg
from dagster._core.definitions.assets.job.asset_job import IMPLICIT_ASSET_JOB_NAME
from dagster._core.errors import DagsterAssetCheckFailedError
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
from dagster._core.scheduler.instigation import TickStatus
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
    WILL_RETRY_TAG,
)
from dagster_shared.error import SerializableErrorInfo

#: A `dg.RunRequest` has one partition: a range of them is asked for by its tags.
RANGE_START_TAG, RANGE_END_TAG = ASSET_PARTITION_RANGE_START_TAG, ASSET_PARTITION_RANGE_END_TAG

#: The partition of a run; `dg.DagsterRun` has no field for it.
PARTITION_TAG = PARTITION_NAME_TAG

#: Whether a failed run is tried again; `dg.DagsterRun` has no field for it.
RETRIED_TAG = WILL_RETRY_TAG

#: The job of what a person materializes, and of a backfill.
ASSET_JOB = IMPLICIT_ASSET_JOB_NAME

#: The class of the error that names failed checks in the lines below its sentence.
FAILED_CHECKS_ERROR = DagsterAssetCheckFailedError.__name__

#: The error of a failed step, which `dg.StepFailureData` holds.
ErrorInfo = SerializableErrorInfo

_TICKED = [TickStatus.SUCCESS, TickStatus.SKIPPED]


def requested_backfills(instance: dg.DagsterInstance) -> list[str]:
    """Return the ids of backfills that have not ended: only the daemon knows their next runs."""
    filters = BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED])
    return [backfill.backfill_id for backfill in instance.get_backfills(filters)]


def last_ticks(instance: dg.DagsterInstance) -> dict[str, float | None]:
    """Return when (unix seconds) each sensor that is on has ticked last; a failed tick is none."""
    found: dict[str, float | None] = {}
    for state in instance.all_instigator_state():
        if state.instigator_type.value == "SENSOR" and state.is_running:
            ticks = instance.get_ticks(
                state.instigator_origin_id, state.selector_id, limit=1, statuses=_TICKED
            )
            found[state.instigator_name] = ticks[0].timestamp if ticks else None
    return found
