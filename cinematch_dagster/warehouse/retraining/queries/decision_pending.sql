-- The newest decision to retrain of whose model nothing has been decided yet.
SELECT decision, reason, buffer_size, drift_score, alert_ids, weeks, target_week, run_key
FROM retraining_decisions AS d
WHERE decision = 'trigger_actual'
    AND (%(max_age)s::interval IS NULL OR decided_at >= now() - %(max_age)s::interval)
    AND NOT EXISTS (
        SELECT FROM promotions AS p
        WHERE p.week >= d.target_week AND p.decided_at > d.decided_at AND p.rolled_back_by IS NULL
    )
ORDER BY id DESC
LIMIT 1
