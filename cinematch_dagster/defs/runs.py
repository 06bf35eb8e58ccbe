"""How runs stand, for the sensors that wait for them."""

import dagster as dg

GIVEN_UP = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
GOING_ON = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
ASSET_JOB = "__ASSET_JOB"
"""The job of what a person materializes, and of a backfill."""


def going_on(instance: dg.DagsterInstance, jobs: list[str]) -> list[dg.DagsterRun]:
    """Return the runs of some jobs that have not ended."""
    return [
        run
        for job in jobs
        for run in instance.get_runs(dg.RunsFilter(job_name=job, statuses=GOING_ON))
    ]
