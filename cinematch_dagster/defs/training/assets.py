"""`trained_model`: a challenger of a week, evaluated and logged to MLflow, not yet registered."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from cinematch_dagster.defs.partitions import drift_of_model_week, model_weeks, to_week
from cinematch_dagster.defs.resources import WarehouseResource
from cinematch_dagster.settings import load_settings

#: What a model must show before it may be registered, by the names of `recommenders.checks`.
CHECKS = {
    "predictions_in_range": "Every prediction is finite and between 0.5 and 5.0 stars.",
    "beats_baseline": "It predicts stars better than mean and biases alone.",
    "answers_everybody": "Known and unknown users get recommendations.",
    "leaves_out_rated": "Nobody is recommended a movie that they have rated.",
}


@dg.asset(
    group_name="training",
    kinds={"mlflow", "python", "numpy"},
    owners=["team:machine-learning"],
    partitions_def=model_weeks,
    deps=[
        "ratings",
        "movies",
        dg.AssetDep("drift_report", partition_mapping=drift_of_model_week),
    ],
    pool="retrain",
    check_specs=[
        dg.AssetCheckSpec(name, asset="trained_model", description=text, blocking=True)
        for name, text in CHECKS.items()
    ],
    description=(
        "The challenger: scikit-surprise SVD predicts stars, implicit ALS orders the list. Trained "
        "on the train ratings and the buffer up to this week, without the rows held out for the "
        "comparison. Its checks stand between it and the registry. The first partition, the week "
        "before the first batch, is the first model."
    ),
)
def trained_model(
    context: dg.AssetExecutionContext,
    warehouse: WarehouseResource,
    mlflow: dg.ResourceParam[Any],
) -> Iterator[dg.MaterializeResult[None]]:
    """Read, train, score, log. The first week's model, week zero, knows the baseline alone."""
    from cinematch_dagster.pipeline.training import read_training_data, train

    week = to_week(context.partition_key)
    data = read_training_data(warehouse.dsn, week)
    context.log.info(f"training on {len(data.ratings)} ratings of {', '.join(data.batches)}")
    result = train(data, load_settings().training, mlflow, warehouse.dsn)
    yield dg.MaterializeResult(
        metadata={
            "mlflow run": result.mlflow_run_id,
            "rows trained on": result.data_size,
            "batches": ", ".join(data.batches),
            "RMSE": result.standing.rmse,
            "MAE": result.standing.mae,
            "Precision@10": result.standing.precision_at_10,
            "rows scored": result.standing.rows,
            "seconds to fit": result.seconds,
        },
        check_results=[
            dg.AssetCheckResult(check_name=c.name, passed=c.passed, description=c.detail)
            for c in result.checks
        ],
    )
