SELECT
    version, from_version, week, promoted, reason, mlflow_run_id, dagster_run_id, buffer_policy,
    scores, decided_at
FROM promotions
WHERE promoted
    AND (%(at)s::timestamptz IS NULL OR decided_at <= %(at)s)
    AND (%(before)s::date IS NULL OR week < %(before)s)
ORDER BY id DESC
LIMIT 1
