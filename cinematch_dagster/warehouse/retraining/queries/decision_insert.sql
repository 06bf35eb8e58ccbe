INSERT INTO retraining_decisions (
    decision, reason, buffer_size, drift_score, alert_ids, weeks, target_week, run_key
)
VALUES (
    %(decision)s, %(reason)s, %(buffer_size)s, %(drift_score)s, %(alert_ids)s::bigint[],
    %(weeks)s::date[], %(target_week)s, %(run_key)s
)
ON CONFLICT (run_key) DO NOTHING
