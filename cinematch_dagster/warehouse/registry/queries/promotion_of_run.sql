SELECT
    version, from_version, week, promoted, reason, mlflow_run_id, dagster_run_id, buffer_policy,
    scores, decided_at, rolled_back_by
FROM promotions
WHERE mlflow_run_id = %(mlflow_run_id)s AND rolled_back_by IS NULL
