INSERT INTO drift_alerts_archive (
    id, alert_date, feature_name, drift_score, threshold, alert_triggered, notes, week, view,
    evidence
)
SELECT
    id, alert_date, feature_name, drift_score, threshold, alert_triggered, notes, week, view,
    evidence
FROM drift_alerts
WHERE alert_date < now() - %(older_than)s::interval
