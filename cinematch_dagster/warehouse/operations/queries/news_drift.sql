SELECT max(id), week, string_agg(feature_name || ' ' || round(drift_score::numeric, 4) || ' > ' || threshold, ', ' ORDER BY id)
FROM drift_alerts
WHERE alert_triggered AND id > %(after)s
GROUP BY week
ORDER BY 1
