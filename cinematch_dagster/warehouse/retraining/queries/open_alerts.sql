WITH latest AS (
    SELECT DISTINCT ON (week, feature_name, view) *
    FROM drift_alerts
    ORDER BY week, feature_name, view, id DESC
),
used AS (
    SELECT a.week, a.feature_name, a.evidence
    FROM retraining_decisions AS d
    JOIN drift_alerts_history AS a ON a.id = ANY (d.alert_ids)
    WHERE d.decision = 'trigger_actual'
)
SELECT id, week, feature_name, drift_score, threshold, alert_date, evidence AS input_digest
FROM latest
WHERE alert_triggered
    AND (week, feature_name, evidence) NOT IN (SELECT week, feature_name, evidence FROM used)
ORDER BY id
