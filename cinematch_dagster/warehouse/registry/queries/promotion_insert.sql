INSERT INTO promotions (
    version, from_version, week, promoted, reason, mlflow_run_id, dagster_run_id, buffer_policy,
    scores
)
VALUES (
    %(version)s, %(from_version)s, %(week)s, %(promoted)s, %(reason)s, %(mlflow_run_id)s,
    %(dagster_run_id)s, %(buffer_policy)s, %(scores)s
)
ON CONFLICT (mlflow_run_id) WHERE rolled_back_by IS NULL DO NOTHING
