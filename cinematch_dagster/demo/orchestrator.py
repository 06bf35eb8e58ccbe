"""What the demo asks of Dagster: launch a job, wait for runs, read why a sensor skipped."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from cinematch_dagster.local.graphql import GraphqlError, ask

FAILED = frozenset({"FAILURE", "CANCELED"})

_LAUNCH = """
mutation Launch($job: String!, $tags: [ExecutionTag!]!) {
  launchRun(executionParams: {
    selector: {
      repositoryLocationName: "cinematch", repositoryName: "__repository__", jobName: $job
    }
    executionMetadata: {tags: $tags}
    mode: "default"
  }) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""

_RUNS = """
query Runs($filter: RunsFilter) {
  runsOrError(filter: $filter) {
    ... on Runs { results { runId jobName status tags { key value } } }
  }
}
"""

_SKIPS = """
query Skips($sensor: String!) {
  sensorOrError(sensorSelector: {
    repositoryLocationName: "cinematch", repositoryName: "__repository__", sensorName: $sensor
  }) {
    ... on Sensor { sensorState { ticks(limit: 20) { timestamp skipReason } } }
  }
}
"""


class OrchestrationError(RuntimeError):
    """A run failed or did not end in time, or Dagster is gone; the message says which."""


class Orchestrator:
    """A client of Dagster's web server.

    Args:
        url: the web server's address.
    """

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=30.0)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _query(self, text: str, **variables: Any) -> dict[str, Any]:
        try:
            return ask(self._client, text, **variables)
        except GraphqlError as error:
            raise OrchestrationError(str(error)) from None

    def run_job(
        self,
        job: str,
        partition: str | None = None,
        seconds: float = 300.0,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Launch a job as the UI does, and wait until it has succeeded.

        Returns:
            The run's id.

        Raises:
            OrchestrationError: when the run fails or takes longer than `seconds`.
        """
        wanted = {**(tags or {}), **({"dagster/partition": partition} if partition else {})}
        pairs = [{"key": key, "value": value} for key, value in wanted.items()]
        result = self._query(_LAUNCH, job=job, tags=pairs)["launchRun"]
        if result["__typename"] != "LaunchRunSuccess":
            raise OrchestrationError(f"{job} was not launched: {result}")
        run_id = str(result["run"]["runId"])
        self.wait_for(job, lambda: self._status(run_id) == "SUCCESS", seconds)
        return run_id

    def wait_for(self, what: str, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until `ready()`; a failed run of any job ends the wait.

        Raises:
            OrchestrationError: naming `what` was waited for, or the job that failed.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            if failed := self.runs(statuses=sorted(FAILED)):
                raise OrchestrationError(f"a run of {failed[0]['jobName']} failed")
            if time.monotonic() > deadline:
                raise OrchestrationError(f"{what} took longer than {seconds:.0f} s")
            time.sleep(0.3)

    def runs(self, job: str | None = None, statuses: list[str] | None = None) -> list[Any]:
        """Return the runs, newest first, optionally of one job and in the given statuses."""
        selection = {"pipelineName": job, "statuses": statuses}
        chosen = {key: value for key, value in selection.items() if value is not None}
        return list(self._query(_RUNS, filter=chosen)["runsOrError"]["results"])

    def _status(self, run_id: str) -> str:
        found = self._query(_RUNS, filter={"runIds": [run_id]})["runsOrError"]["results"]
        return str(found[0]["status"])

    def skip_reason(self, sensor: str, since: float, containing: str) -> str | None:
        """Return why a tick after `since` (unix seconds) was skipped, if it says `containing`."""
        state = self._query(_SKIPS, sensor=sensor)["sensorOrError"]["sensorState"]
        reasons = (t["skipReason"] for t in state["ticks"] if t["timestamp"] >= since)
        return next((r for r in reasons if r and containing in r), None)
