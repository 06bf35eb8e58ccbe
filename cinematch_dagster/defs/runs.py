"""What sensors know of runs: their tags, and how they stand."""

import dagster as dg

from cinematch_dagster.defs.definition_settings import RETRY_DELAY_SECONDS

DECISION_TAG = "cinematch/decision"
"""Names the decision that a run carries out, by its run key."""
REASON_TAG = "cinematch/reason"
"""Says in a sentence why a run was requested."""

GIVEN_UP = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
GOING_ON = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
PATIENCE = 60 * RETRY_DELAY_SECONDS
"""Seconds after which a run that came to nothing is requested once more, at first."""
LONGEST_WAIT = 86_400.0


def again_at(at: float, times: int) -> float:
    """Return when it is time to ask once more: each wait, in seconds, doubles up to a day.

    Args:
        at: when (unix seconds) it was asked for last.
        times: how often it was asked for.
    """
    return at + min(PATIENCE * 2.0 ** min(times - 1, 30), LONGEST_WAIT)


def going_on(instance: dg.DagsterInstance, jobs: list[str]) -> list[dg.DagsterRun]:
    """Return the runs of some jobs that have not ended."""
    return [
        run
        for job in jobs
        for run in instance.get_runs(dg.RunsFilter(job_name=job, statuses=GOING_ON))
    ]
