DELETE FROM drift_alerts AS d
USING drift_alerts_archive AS a
WHERE a.id = d.id
