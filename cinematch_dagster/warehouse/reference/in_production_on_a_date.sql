-- What was in production at a moment, since when, why, and what it replaced: now, or put another
-- moment in its place.
WITH asked AS (
    SELECT now() AS moment
)
SELECT
    p.version, p.week, p.decided_at AS since, p.from_version AS replaced, p.reason,
    p.rolled_back_by, p.mlflow_run_id, p.dagster_run_id
FROM promotions AS p, asked
WHERE p.promoted AND p.decided_at <= asked.moment
ORDER BY p.id DESC
LIMIT 1
