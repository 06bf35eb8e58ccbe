-- Each loaded week that has a verdict, and a fingerprint of what its page shows: its loads, its latest
-- verdicts and performance, what was decided on it and on its model, and the verdicts of the 51 weeks
-- before, which are drawn as lines.
WITH loads AS (
    SELECT week, string_agg(concat_ws(' ', batch_id, sha256, injected), ',' ORDER BY batch_id) AS loaded
    FROM ingestion_metadata
    WHERE status = 'completed' AND batch_id <> 'baseline'
    GROUP BY week
),
verdicts AS (
    SELECT week, sum(id) AS verdict, max(id) AS newest
    FROM latest_drift_verdicts
    GROUP BY week
),
decisions AS (
    SELECT week, string_agg(concat_ws(' ', id, decision), ',' ORDER BY id) AS decided
    FROM retraining_decisions, unnest(weeks) AS week
    GROUP BY week
),
models AS (
    SELECT week, max(id) AS promotion
    FROM promotions
    GROUP BY week
)
SELECT
    week,
    md5(concat_ws(
        ' ',
        loaded,
        (SELECT computed_at FROM weekly_performance AS w WHERE w.week = loads.week),
        decided,
        promotion,
        count(*) OVER lines,
        sum(verdict) OVER lines,
        max(newest) OVER lines
    ))
FROM loads
JOIN verdicts USING (week)
LEFT JOIN decisions USING (week)
LEFT JOIN models USING (week)
WINDOW lines AS (ORDER BY week ROWS BETWEEN 51 PRECEDING AND CURRENT ROW)
ORDER BY week
