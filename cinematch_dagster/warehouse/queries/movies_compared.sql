-- New is what has no rating in the baseline's train part nor in a batch of a week before the side
-- begins; in the baseline nothing is.
WITH active AS MATERIALIZED (
    SELECT side, begins, "movieId", sum(n) AS n
    FROM compared_loads(%(week)s)
    JOIN movie_counts USING (batch_id, data_split)
    WHERE side <> 'baseline'
    GROUP BY side, begins, "movieId"
),
known AS MATERIALIZED (
    SELECT
        a.side, a.n,
        EXISTS (
            SELECT FROM movie_counts AS c
            WHERE c."movieId" = a."movieId" AND c.week < a.begins
                AND (c.batch_id <> 'baseline' OR c.data_split = 'train')
        ) AS is_known
    FROM active AS a
)
SELECT
    side,
    coalesce(sum(n) FILTER (WHERE NOT is_known), 0)::bigint AS of_new_movies,
    count(*) FILTER (WHERE NOT is_known) AS new_movies
FROM known
GROUP BY side
