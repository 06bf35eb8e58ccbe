WITH periods AS (
    SELECT
        version, from_version, week, decided_at AS since,
        lead(decided_at) OVER (ORDER BY id) AS until, reason, rolled_back_by, mlflow_run_id,
        dagster_run_id
    FROM promotions
    WHERE promoted
)
SELECT *
FROM periods
WHERE (%(last)s::timestamptz IS NULL OR since <= %(last)s)
    AND (%(first)s::timestamptz IS NULL OR until IS NULL OR until > %(first)s)
ORDER BY since
