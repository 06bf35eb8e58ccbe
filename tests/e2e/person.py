"""A person at Dagster's UI, through the queries and mutations that its pages send."""

import contextlib
import datetime
import re
import time
from collections.abc import Callable
from typing import Any

from benchmarks.platform.backfill import Backfills
from cinematch_dagster.demo.orchestrator import _LAUNCH as LAUNCH_RUN
from cinematch_dagster.demo.orchestrator import _RUNS, OrchestrationError

SENSOR = """
query Sensor($name: String!) {
  sensorOrError(sensorSelector: {
    repositoryLocationName: "cinematch", repositoryName: "__repository__", sensorName: $name
  }) {
    ... on Sensor {
      sensorState { id status typeSpecificData { ... on SensorData { lastCursor } } }
    }
  }
}
"""
STOP = """
mutation Stop($id: String!) {
  stopSensor(id: $id) { ... on StopSensorMutationResult { instigationState { status } } }
}
"""
START = """
mutation Start($sensor: SensorSelector!) {
  startSensor(sensorSelector: $sensor) { ... on Sensor { sensorState { status } } }
}
"""
CURSOR = """
mutation Cursor($sensor: SensorSelector!, $cursor: String) {
  setSensorCursor(sensorSelector: $sensor, cursor: $cursor) { __typename }
}
"""
DRY_RUN = """
mutation DryRun($sensor: SensorSelector!, $cursor: String) {
  sensorDryRun(selectorData: $sensor, cursor: $cursor) {
    ... on DryRunInstigationTick {
      evaluationResult { runRequests { runKey } skipReason error { message } }
    }
  }
}
"""
START_SCHEDULE = """
mutation Start($schedule: ScheduleSelector!) {
  startSchedule(scheduleSelector: $schedule) {
    ... on ScheduleStateResult { scheduleState { status } }
  }
}
"""
SCHEDULE = """
query Schedule($schedule: ScheduleSelector!) {
  scheduleOrError(scheduleSelector: $schedule) { ... on Schedule { scheduleState { status } } }
}
"""
EVENTS = """
query Events($id: ID!) {
  logsForRun(runId: $id) {
    ... on EventConnection {
      events {
        ... on MessageEvent { message }
        ... on ErrorEvent { error { message causes { message } } }
      }
    }
  }
}
"""


def wait(ready: Callable[[], bool], seconds: float) -> None:
    """Wait; a web server whose database was restarted answers with an error once or twice."""
    deadline = time.monotonic() + seconds
    is_ready = False
    while not is_ready:
        assert time.monotonic() < deadline, f"it took longer than {seconds} s"
        with contextlib.suppress(OrchestrationError):
            is_ready = ready()
        time.sleep(0.0 if is_ready else 0.5)


def selector(**names: str) -> dict[str, str]:
    """Of something in our code location."""
    location = {"repositoryLocationName": "cinematch", "repositoryName": "__repository__"}
    return location | names


class Person(Backfills):
    """What a person does in the UI, and sees there."""

    def launch(self, job: str, week: datetime.date | None = None) -> str:
        """Launch a job and don't wait; returns the run's id."""
        partition = [{"key": "dagster/partition", "value": week.isoformat()}] if week else []
        result = self._query(LAUNCH_RUN, job=job, tags=partition)["launchRun"]
        assert result["__typename"] == "LaunchRunSuccess", result
        return str(result["run"]["runId"])

    def run_of(self, week: datetime.date, job: str = "buffer_ingestion_weekly") -> str:
        """The id of the first run that a sensor has requested for a week; waits for it."""
        wanted = [{"key": "dagster/asset_partition_range_start", "value": week.isoformat()}]

        def found() -> list[Any]:
            selection = {"pipelineName": job, "tags": wanted}
            return list(self._query(_RUNS, filter=selection)["runsOrError"]["results"])

        self.wait(lambda: bool(found()), seconds=120)
        return str(found()[-1]["runId"])

    def tries(self, run_id: str) -> list[Any]:
        """A run and what was launched because it failed, the newest first."""
        root = [{"key": "dagster/root_run_id", "value": run_id}]
        again = self._query(_RUNS, filter={"tags": root})["runsOrError"]["results"]
        first = self._query(_RUNS, filter={"runIds": [run_id]})["runsOrError"]["results"]
        return [*again, *first]

    def succeeds(self, run_id: str, seconds: float = 240) -> None:
        """Wait until a run, or one of its tries, has succeeded."""
        self.wait(lambda: self.tries(run_id)[0]["status"] == "SUCCESS", seconds)

    def fails(self, run_id: str, seconds: float = 240) -> str:
        """Wait until a run has failed for good; returns what it said."""

        def is_over() -> bool:
            newest = self.tries(run_id)[0]
            tags = {tag["key"]: tag["value"] for tag in newest["tags"]}
            return newest["status"] == "FAILURE" and tags.get("dagster/will_retry") != "true"

        self.wait(is_over, seconds)
        return self.failure(self.tries(run_id)[0]["runId"])

    def worker(self, run_id: str) -> int:
        """The process id of a run's worker."""
        found: list[str] = []

        def has_started() -> bool:
            events = self._query(EVENTS, id=run_id)["logsForRun"]["events"]
            pattern = r"Started process for run \(pid: (\d+)\)"
            found.extend(re.findall(pattern, " ".join(e.get("message", "") for e in events)))
            return bool(found)

        self.wait(has_started, seconds=120)
        return int(found[0])

    def sensor(self, name: str) -> dict[str, Any]:
        """A sensor's id, whether it is on, and its cursor."""
        state = self._query(SENSOR, name=name)["sensorOrError"]["sensorState"]
        data = state["typeSpecificData"] or {}
        return {"id": state["id"], "status": state["status"], "cursor": data.get("lastCursor")}

    def stop_sensor(self, name: str) -> None:
        stopped = self._query(STOP, id=self.sensor(name)["id"])["stopSensor"]
        assert stopped["instigationState"]["status"] == "STOPPED"

    def start_sensor(self, name: str) -> None:
        started = self._query(START, sensor=selector(sensorName=name))["startSensor"]
        assert started["sensorState"]["status"] == "RUNNING"

    def set_cursor(self, name: str, cursor: str | None) -> None:
        """Set a sensor's cursor by hand; None clears it."""
        changed = self._query(CURSOR, sensor=selector(sensorName=name), cursor=cursor)
        assert changed["setSensorCursor"]["__typename"] == "Sensor", changed

    def replay(self, name: str, cursor: str) -> list[str]:
        """Evaluate a sensor's tick by hand, as the UI's "test sensor"; returns the run keys."""
        answer = self._query(DRY_RUN, sensor=selector(sensorName=name), cursor=cursor)
        result = answer["sensorDryRun"]["evaluationResult"]
        assert result["error"] is None, result
        return [str(request["runKey"]) for request in result["runRequests"] or []]

    def start_schedule(self, name: str) -> None:
        started = self._query(START_SCHEDULE, schedule=selector(scheduleName=name))
        assert started["startSchedule"]["scheduleState"]["status"] == "RUNNING"

    def schedule_status(self, name: str) -> str:
        found = self._query(SCHEDULE, schedule=selector(scheduleName=name))
        return str(found["scheduleOrError"]["scheduleState"]["status"])

    def failure(self, run_id: str) -> str:
        """What the failed steps of a run said, and what they were caused by."""
        events = self._query(EVENTS, id=run_id)["logsForRun"]["events"]
        errors = [event["error"] for event in events if event.get("error")]
        return "; ".join(e["message"] for error in errors for e in (error, *error["causes"]))

    def wait(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait, whatever runs have failed."""
        wait(ready, seconds)
