"""The jobs of this station: a training, and a search for better hyperparameters."""

from typing import Any, Literal

import dagster as dg

from cinematch_dagster.defs.resources import WarehouseResource
from cinematch_dagster.settings import Settings

model_training = dg.define_asset_job(
    "model_training",
    selection=dg.AssetSelection.assets("trained_model"),
    description="Train and evaluate a model up to a week and log it; nothing is promoted.",
)


class TuningConfig(dg.Config):
    """What a person fills in when launching the job.

    Attributes:
        head: whose algorithm, that of the profile, is tuned.
        trials: how many more of this data's study.
    """

    head: Literal["rating", "ranking"] = "rating"
    trials: int = 20


@dg.op(pool="retrain")
def tune_model(
    context: dg.OpExecutionContext,
    config: TuningConfig,
    warehouse: WarehouseResource,
    settings: dg.ResourceParam[Settings],
    mlflow: dg.ResourceParam[Any],
) -> None:
    """Search, log the proposal to MLflow and show it; no setting changes."""
    from cinematch_dagster.pipeline.training.mlflow_run import ended
    from cinematch_dagster.pipeline.training.tuning import log, tune

    def tell(done: int, of: int, best: float) -> None:
        context.log.info(f"trial {done} of {of}, best so far {best:.4f}")

    with ended(mlflow):
        found = tune(warehouse.dsn, settings.training, config.head, config.trials, tell)
        log(mlflow, found)
    context.add_output_metadata(
        {
            "study": found.study,
            found.metric: found.value,
            "present settings": "outside the ranges, or given up"
            if found.current is None
            else found.current,
            "trials": found.complete,
            "given up early": found.pruned,
            "proposal": dg.MetadataValue.md(f"```toml\n{found.toml}```"),
        }
    )


@dg.job(
    description=(
        "Search for better hyperparameters of one head on the training ratings. The proposal is "
        "shown here and logged to MLflow; nobody applies it but a person."
    )
)
def model_tuning() -> None:
    """One op, not beside a training."""
    tune_model()
