"""A backfill of weeks, as Dagster's UI launches it."""

from __future__ import annotations

import datetime
import time
from typing import Final

from cinematch_dagster.demo.orchestrator import OrchestrationError, Orchestrator

WEEKLY: Final = ("ratings_buffer", "weekly_performance", "drift_report")

_LAUNCH = """
mutation LaunchPartitionBackfill($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""
_STATUS = """
query Status($id: String!) {
  partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } }
}
"""


class Backfills(Orchestrator):
    """A client of Dagster's web server that backfills all weekly assets."""

    def backfill(self, weeks: list[datetime.date], seconds: float) -> str:
        """Launch a backfill and wait; return how it ended, `COMPLETED_SUCCESS` among others.

        Raises:
            OrchestrationError: it was not launched, or took longer than `seconds`.
        """
        params = {
            "assetSelection": [{"path": [name]} for name in WEEKLY],
            "partitionNames": [week.isoformat() for week in weeks],
        }
        answer = self._query(_LAUNCH, params=params)["launchPartitionBackfill"]
        if answer["__typename"] != "LaunchBackfillSuccess":
            raise OrchestrationError(f"the backfill was not launched: {answer}")
        deadline = time.monotonic() + seconds
        while (status := self._ended(answer["backfillId"])) is None:
            if time.monotonic() > deadline:
                raise OrchestrationError(f"the backfill took longer than {seconds:.0f} s")
            time.sleep(1.0)
        return status

    def _ended(self, backfill: str) -> str | None:
        status = str(self._query(_STATUS, id=backfill)["partitionBackfillOrError"]["status"])
        over = status.startswith("COMPLETED") or status in {"FAILED", "CANCELED"}
        return status if over else None
