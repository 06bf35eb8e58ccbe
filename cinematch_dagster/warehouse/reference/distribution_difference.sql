-- The newest week's stars beside the baseline's: shares of all ratings in per cent, and the
-- difference in points.
WITH newest AS (
    SELECT max(week) AS week FROM ingestion_metadata
    WHERE batch_id <> 'baseline' AND status = 'completed'
),
counts AS (
    SELECT c.side, h.rating, sum(h.n) AS n
    FROM newest, compared_loads(newest.week) AS c
    JOIN rating_histogram AS h USING (batch_id, data_split)
    GROUP BY c.side, h.rating
),
shares AS (
    SELECT side, rating, 100.0 * n / sum(n) OVER (PARTITION BY side) AS share FROM counts
),
stars AS (
    SELECT
        half / 2.0 AS rating,
        coalesce(max(share) FILTER (WHERE side = 'baseline'), 0) AS baseline,
        coalesce(max(share) FILTER (WHERE side = 'per_batch'), 0) AS this_week,
        coalesce(max(share) FILTER (WHERE side = 'cumulative'), 0) AS since_retraining
    FROM generate_series(1, 10) AS half
    LEFT JOIN shares ON rating = half / 2.0
    GROUP BY half
)
SELECT
    rating::real,
    round(baseline, 2)::double precision AS baseline,
    round(this_week, 2)::double precision AS this_week,
    round(since_retraining, 2)::double precision AS since_retraining,
    round(this_week - baseline, 2)::double precision AS week_difference,
    round(since_retraining - baseline, 2)::double precision AS retraining_difference
FROM stars
ORDER BY rating
