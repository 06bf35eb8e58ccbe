SELECT decision, reason, buffer_size, drift_score, alert_ids, weeks, target_week, run_key
FROM retraining_decisions
WHERE decision = 'trigger_actual'
ORDER BY id
