-- Of the latest check of each week, test and view; archived ones count.
SELECT week, array_agg(DISTINCT evidence)
FROM (
    SELECT DISTINCT ON (week, feature_name, view) week, evidence
    FROM drift_alerts_history
    ORDER BY week, feature_name, view, id DESC
) AS latest
GROUP BY week
