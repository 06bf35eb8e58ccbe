-- Is a retraining needed? One row: the answer and what it rests on. The criteria are those of the
-- movielens-1m profile; edit them to yours. Alerts are those of the verdicts as they were decided.
WITH criteria AS (
    SELECT 50000 AS minimum_buffer, interval '168 hours' AS max_age
),
open_alerts AS (
    SELECT v.week, t.score / t.threshold AS share_of_threshold
    FROM criteria AS c, latest_drift_verdicts AS v,
        jsonb_to_recordset(v.tests) AS t (
            feature_name text, score double precision, threshold double precision, triggered boolean
        )
    WHERE t.triggered AND v.decided_at >= now() - c.max_age
        AND NOT EXISTS (
            SELECT FROM retraining_decisions AS d
            JOIN drift_alerts_history AS used ON used.id = ANY (d.alert_ids)
            WHERE d.decision = 'trigger_actual'
                AND (used.week, used.feature_name, used.evidence)
                = (v.week, t.feature_name, v.input_digest)
        )
),
found AS (
    SELECT
        (SELECT count(*) FROM open_alerts) AS open_alerts,
        (SELECT max(share_of_threshold) FROM open_alerts) AS worst_share_of_threshold,
        (SELECT max(week) FROM open_alerts) AS target_week,
        (SELECT max(decided_at) FROM drift_verdicts) AS last_check,
        (
            SELECT coalesce(sum(record_count), 0)::bigint FROM ingestion_metadata
            WHERE batch_id <> 'baseline' AND status = 'completed' AND merged_at IS NULL
        ) AS buffer_size
)
SELECT f.open_alerts > 0 AND f.buffer_size >= c.minimum_buffer AS needed, f.*, c.minimum_buffer
FROM found AS f, criteria AS c
