"""What the daemon writes into an instance, for which Dagster has no public way."""

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster_shared.error import SerializableErrorInfo

BROKE = SerializableErrorInfo("Postgres refused", [], "OperationalError")


def add_sensor(
    instance: dg.DagsterInstance, name: str, is_on: bool, ticks: dict[float, str]
) -> None:
    """A sensor that is on or off and has ticked at these times with SKIPPED, SUCCESS or FAILURE."""
    code = RegisteredCodeLocationOrigin("cinematch")
    state = InstigatorState(
        RemoteInstigatorOrigin(RemoteRepositoryOrigin(code, "__repository__"), name),
        InstigatorType.SENSOR,
        InstigatorStatus.RUNNING if is_on else InstigatorStatus.STOPPED,
        SensorInstigatorData(),
    )
    instance.add_instigator_state(state)
    for at, outcome in ticks.items():
        status = TickStatus[outcome]
        instance.create_tick(
            TickData(
                state.instigator_origin_id, name, state.instigator_type, status, at,
                selector_id=state.selector_id, run_ids=[],
                error=BROKE if status is TickStatus.FAILURE else None,
            )
        )  # fmt: skip


class Backfill:
    """A backfill that was requested."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._row = PartitionBackfill(
            backfill_id="abcdefgh",
            status=BulkActionStatus.REQUESTED,
            from_failure=False,
            tags={},
            backfill_timestamp=0.0,
        )
        instance.add_backfill(self._row)

    def ends(self) -> None:
        done = self._row._replace(status=BulkActionStatus.COMPLETED_SUCCESS)
        self._instance.update_backfill(done)
