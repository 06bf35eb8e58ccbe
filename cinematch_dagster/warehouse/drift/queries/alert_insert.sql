INSERT INTO drift_alerts (
    week, view, feature_name, drift_score, threshold, alert_triggered, evidence, notes
)
VALUES (
    %(week)s, %(view)s, %(feature_name)s, %(drift_score)s, %(threshold)s, %(alert_triggered)s,
    %(input_digest)s, %(notes)s
)
