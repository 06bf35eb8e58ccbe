-- A week finds what was promoted for the weeks before it, and what production was taken back to
-- before its ratings arrived: so the answer for a week stays, whatever happens later.
SELECT
    version, from_version, week, promoted, reason, mlflow_run_id, dagster_run_id, buffer_policy,
    scores, decided_at, rolled_back_by
FROM promotions
WHERE promoted
    AND (%(at)s::timestamptz IS NULL OR decided_at <= %(at)s)
    AND (
        %(before)s::date IS NULL
        OR week < %(before)s AND (
            rolled_back_by IS NULL
            OR decided_at <= (
                SELECT min(ingestion_date) FROM ingestion_metadata
                WHERE week = %(before)s AND batch_id <> 'baseline'
            )
        )
    )
ORDER BY id DESC
LIMIT 1
