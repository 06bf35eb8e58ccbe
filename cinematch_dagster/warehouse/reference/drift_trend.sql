-- Each test's score over the weeks as last checked, archived alerts included: the threshold is
-- at 1.0 of `share_of_threshold`.
SELECT DISTINCT ON (view, feature_name, week)
    view, feature_name, week, drift_score, threshold,
    drift_score / threshold AS share_of_threshold, alert_triggered, alert_date
FROM drift_alerts_history
ORDER BY view, feature_name, week, id DESC
