"""MLflow, and how a training that is tried several times uses it: each try is a run of its own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import dagster as dg

from cinematch_dagster.settings import EXPERIMENT


@dg.resource(
    required_resource_keys={"settings"},
    description="The dagster-mlflow resource, imported only where a run uses it (6 s).",
)
def mlflow(context: dg.InitResourceContext) -> Iterator[Any]:
    """Yield dagster-mlflow's `MlFlow`, whose MLflow run is tagged with the Dagster run's id."""
    from dagster_mlflow.resources import mlflow_tracking

    config = {
        "experiment_name": EXPERIMENT,
        "mlflow_tracking_uri": context.resources.settings.tracking_uri,
    }
    begin = cast(Callable[..., Iterator[Any]], mlflow_tracking.resource_fn)
    yield from begin(context.replace_config(config))


@dg.definitions
def resources() -> dg.Definitions:
    """Define MLflow for the trainings."""
    return dg.Definitions(resources={"mlflow": mlflow})


@contextmanager
def one_run_per_attempt(context: dg.AssetExecutionContext, mlflow: Any) -> Iterator[None]:
    """End MLflow's active run with the block; begin one where an earlier try has ended its own.

    Before that, whatever a worker that died, or could not reach MLflow, has left open is ended.

    Args:
        context: of the step.
        mlflow: dagster-mlflow's resource; for the first try it has begun a run.
    """
    from cinematch_dagster.pipeline.training.mlflow_run import DAGSTER_RUN, end_abandoned, ended

    is_first = mlflow.active_run() is not None

    def is_over(run_id: str) -> bool:
        if run_id == context.run_id:
            return not is_first
        run = context.instance.get_run_by_id(run_id)
        return run is not None and run.is_finished

    end_abandoned(mlflow.tracking_client, EXPERIMENT, is_over)
    if not is_first:
        mlflow.start_run(run_name=context.run.job_name, tags={DAGSTER_RUN: context.run_id})
    with ended(mlflow):
        yield
