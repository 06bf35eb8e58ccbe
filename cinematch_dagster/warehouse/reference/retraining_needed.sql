-- Is a retraining needed? One row: the answer and what it rests on. The criteria are those of the
-- movielens-1m profile; edit them to yours.
WITH criteria AS (
    SELECT 50000 AS minimum_buffer, interval '168 hours' AS max_age
),
latest AS (
    SELECT DISTINCT ON (week, feature_name, view) *
    FROM drift_alerts
    ORDER BY week, feature_name, view, id DESC
),
open_alerts AS (
    SELECT l.*
    FROM latest AS l, criteria AS c
    WHERE l.alert_triggered AND l.alert_date >= now() - c.max_age
        AND NOT EXISTS (
            SELECT FROM retraining_decisions AS d
            JOIN drift_alerts_history AS used ON used.id = ANY (d.alert_ids)
            WHERE d.decision = 'trigger_actual'
                AND (used.week, used.feature_name, used.evidence)
                = (l.week, l.feature_name, l.evidence)
        )
),
found AS (
    SELECT
        (SELECT count(*) FROM open_alerts) AS open_alerts,
        (SELECT max(drift_score / threshold) FROM open_alerts) AS worst_share_of_threshold,
        (SELECT max(week) FROM open_alerts) AS target_week,
        (SELECT max(alert_date) FROM drift_alerts) AS last_check,
        (
            SELECT coalesce(sum(record_count), 0)::bigint FROM ingestion_metadata
            WHERE batch_id <> 'baseline' AND status = 'completed' AND merged_at IS NULL
        ) AS buffer_size
)
SELECT f.open_alerts > 0 AND f.buffer_size >= c.minimum_buffer AS needed, f.*, c.minimum_buffer
FROM found AS f, criteria AS c
