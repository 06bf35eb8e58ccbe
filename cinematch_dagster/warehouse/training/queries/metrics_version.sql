UPDATE model_metrics AS m
SET model_version = p.version
FROM promotions AS p
WHERE m.mlflow_run_id = %(mlflow_run_id)s AND p.mlflow_run_id = m.mlflow_run_id
