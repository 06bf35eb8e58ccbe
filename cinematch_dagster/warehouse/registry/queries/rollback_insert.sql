INSERT INTO promotions (
    version, from_version, week, promoted, reason, mlflow_run_id, dagster_run_id, scores,
    rolled_back_by
)
SELECT
    version, %(from_version)s, week, true, %(reason)s, mlflow_run_id, %(dagster_run_id)s, scores,
    %(rolled_back_by)s
FROM promotions
WHERE version = %(version)s AND promoted AND rolled_back_by IS NULL
ORDER BY id DESC
LIMIT 1
RETURNING
    version, from_version, week, promoted, reason, mlflow_run_id, dagster_run_id, buffer_policy,
    scores, decided_at, rolled_back_by
