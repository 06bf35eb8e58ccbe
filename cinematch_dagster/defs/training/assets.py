"""`trained_model`: a challenger of a week, evaluated and logged to MLflow, not yet registered."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from cinematch_dagster.defs.partitions import drift_of_model_week, model_weeks, to_week
from cinematch_dagster.defs.resources import WarehouseResource
from cinematch_dagster.defs.retries import final, transient_faults
from cinematch_dagster.defs.training.resources import one_run_per_attempt
from cinematch_dagster.settings import Settings

if TYPE_CHECKING:  # MLflow takes seconds to import
    from cinematch_dagster.pipeline.training.train import TrainingResult

#: What a model must show before it may be registered, by the names of `recommenders.checks`.
CHECKS = {
    "predictions_in_range": "Predicted stars are numbers, and near their scale before the cut.",
    "beats_baseline": "It predicts stars better than mean and biases alone.",
    "answers_everybody": "Known and unknown users get recommendations.",
    "leaves_out_rated": "Nobody is recommended a movie that they have rated.",
    "same_in_any_order": "The order in which a user rated makes no difference.",
    "more_stars_raise_similar": "Movies similar to one that gets more stars rise.",
    "genre_finds_its_kind": "Movies of a genre stand higher for its fans than for others.",
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
    retry_policy=transient_faults,
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
    settings: dg.ResourceParam[Settings],
    mlflow: dg.ResourceParam[Any],
) -> Iterator[dg.MaterializeResult[None]]:
    """Read, train, score, log. The first week's model, week zero, knows the baseline alone."""
    from cinematch_dagster.pipeline.training.data import read_training_data
    from cinematch_dagster.pipeline.training.train import train
    from cinematch_dagster.recommenders.errors import TrainingError

    week = to_week(context.partition_key)
    with one_run_per_attempt(context, mlflow), final(TrainingError):
        data = read_training_data(warehouse.dsn, week)
        rows, batches = len(data.ratings), ", ".join(data.batches)
        context.log.info(f"training on {rows} ratings of {batches}")
        result = train(data, settings.training, mlflow, warehouse.dsn)
    yield dg.MaterializeResult(
        metadata=_metadata(data.batches, result),
        check_results=[
            dg.AssetCheckResult(check_name=c.name, passed=c.passed, description=c.detail)
            for c in result.checks
        ],
    )


def _metadata(batches: list[str], result: "TrainingResult") -> dict[str, Any]:
    """Return the numbers that a person wants; the UI plots them over the weeks."""
    from cinematch_dagster.pipeline.training.mlflow_run import slice_table

    static, fold = result.scores["standing"], result.scores["standing_fold"]
    after = fold.slices["all"]
    return {
        "mlflow run": result.mlflow_run_id,
        "rows trained on": result.data_size,
        "batches": ", ".join(batches),
        "RMSE": result.standing.rmse,
        "MAE": result.standing.mae,
        "Precision@10": result.standing.precision_at_10,
        "rows scored": result.standing.rows,
        "RMSE with fold-in": fold.rating.rmse,
        "NDCG@10 with fold-in": after.ndcg_at_10 or 0.0,
        "Precision@10 with fold-in": after.precision_at_10 or 0.0,
        "Recall@10 with fold-in": after.recall_at_10 or 0.0,
        "hit rate with fold-in": after.hit_rate or 0.0,
        "coverage": fold.ranking.coverage,
        "novelty (bits)": fold.ranking.novelty,
        "as trained": dg.MetadataValue.md(slice_table(static.slices)),
        "with fold-in": dg.MetadataValue.md(slice_table(fold.slices)),
        "seconds to fit": result.seconds,
        "peak memory (MB)": result.peak_memory_mb or 0.0,
    }
