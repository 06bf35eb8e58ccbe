"""The jobs that retrain, here or on GitHub, and the run that a decision requests of each."""

from collections.abc import Callable

import dagster as dg

from cinematch_dagster.defs.retries import transient_faults
from cinematch_dagster.defs.runs import DECISION_TAG, REASON_TAG
from cinematch_dagster.pipeline.retraining.github import DispatchError, dispatch, inputs_of
from cinematch_dagster.settings import Settings
from cinematch_dagster.warehouse.retraining.decisions import Decision

trigger_retraining = dg.define_asset_job(
    "trigger_retraining",
    selection=dg.AssetSelection.assets("trained_model", "production_registration"),
    description="Train a challenger up to a week and promote it if it is better than the champion.",
)


class WorkflowInputs(dg.Config):
    """What the workflow is told; nothing secret, the UI shows it."""

    reason: str
    drift_score: str
    buffer_size: str


@dg.op(
    retry_policy=transient_faults,
    description="Start the workflow; anything but GitHub's status 204 is a failure.",
)
def dispatch_workflow(
    context: dg.OpExecutionContext, config: WorkflowInputs, settings: dg.ResourceParam[Settings]
) -> None:
    """Tell GitHub; the workflow trains, compares and promotes, and writes into the warehouse."""
    github = settings.github
    try:
        dispatch(github, config.model_dump())
    except DispatchError as error:
        raise dg.Failure(str(error), allow_retries=error.transient) from None
    context.log.info(f"{github.repository} runs {github.workflow} on {github.ref}")


@dg.job(description="Ask a GitHub Actions workflow to do what `trigger_retraining` does here.")
def github_retraining() -> None:
    """One step: the request."""
    dispatch_workflow()


def train_here(decision: Decision) -> dg.RunRequest:
    """Request a run of `trigger_retraining` for the decision's week."""
    assert decision.target_week is not None
    return dg.RunRequest(
        run_key=decision.run_key,
        job_name=trigger_retraining.name,
        partition_key=decision.target_week.isoformat(),
        tags=_tags(decision),
    )


def train_on_github(decision: Decision) -> dg.RunRequest:
    """Request a run that starts the workflow."""
    return dg.RunRequest(
        run_key=decision.run_key,
        job_name=github_retraining.name,
        run_config=dg.RunConfig(ops={"dispatch_workflow": WorkflowInputs(**inputs_of(decision))}),
        tags=_tags(decision),
    )


def _tags(decision: Decision) -> dict[str, str]:
    return {REASON_TAG: decision.reason, DECISION_TAG: decision.run_key}


RETRAINING_TARGETS: dict[str, Callable[[Decision], dg.RunRequest]] = {
    "dagster": train_here,
    "github": train_on_github,
}
