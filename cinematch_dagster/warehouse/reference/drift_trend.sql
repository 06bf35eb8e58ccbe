-- Each test's score over the weeks, as it was decided last: the threshold of that day is at 1.0 of
-- `share_of_threshold`. A level of null is unknown: decided before verdicts were kept.
SELECT
    CASE v.view WHEN 'performance' THEN 'per_batch' ELSE v.view END AS view,
    t.feature_name, v.week, t.score AS drift_score, t.threshold,
    t.score / t.threshold AS share_of_threshold, t.triggered AS alert_triggered, v.level,
    v.decided_at AS alert_date
FROM latest_drift_verdicts AS v,
    jsonb_to_recordset(v.tests) AS t (
        feature_name text, score double precision, threshold double precision, triggered boolean
    )
ORDER BY 1, 2, 3
