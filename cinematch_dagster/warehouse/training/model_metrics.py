"""The metrics of each training run: one row of `model_metrics`, promoted or not."""

import datetime

import psycopg

from cinematch_dagster.warehouse.statements import query, scalar


def record_metrics(
    connection: psycopg.Connection,
    *,
    mlflow_run_id: str,
    week: datetime.date,
    rmse: float,
    mae: float,
    precision_at_10: float,
    data_size: int,
    notes: str = "",
) -> None:
    """Write the one row of a training run; the same run again replaces its figures.

    Until a version is registered, `model_version` is 'run:' and the MLflow run's id.
    """
    values = {
        "mlflow_run_id": mlflow_run_id,
        "week": week,
        "rmse": rmse,
        "mae": mae,
        "precision_at_10": precision_at_10,
        "data_size": data_size,
        "notes": notes,
    }
    connection.execute(query("training/metrics_upsert"), values)


def latest_run(connection: psycopg.Connection, week: datetime.date) -> str | None:
    """Return the MLflow run that trained a week's model last, if one did."""
    run: str | None = scalar(connection, query("training/latest_run"), {"week": week})
    return run


def own_errors(connection: psycopg.Connection, mlflow_run_id: str) -> tuple[float, float]:
    """Return the RMSE and MAE that a training run's model had on the standing test rows."""
    ((rmse, mae),) = connection.execute(
        "SELECT rmse, mae FROM model_metrics WHERE mlflow_run_id = %s", [mlflow_run_id]
    ).fetchall()
    return rmse, mae
