INSERT INTO model_metrics (
    model_version, rmse, mae, precision_at_10, data_size, notes, week, mlflow_run_id
)
VALUES (
    'run:' || %(mlflow_run_id)s, %(rmse)s, %(mae)s, %(precision_at_10)s, %(data_size)s, %(notes)s,
    %(week)s, %(mlflow_run_id)s
)
ON CONFLICT (mlflow_run_id) DO UPDATE SET
    training_date = now(), rmse = excluded.rmse, mae = excluded.mae,
    precision_at_10 = excluded.precision_at_10, data_size = excluded.data_size,
    notes = excluded.notes, week = excluded.week
