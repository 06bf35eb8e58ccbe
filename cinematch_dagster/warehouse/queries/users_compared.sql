-- New is who has no rating in the baseline's train part nor in a batch of a week before the side
-- begins.
WITH loads AS MATERIALIZED (
    SELECT side, batch_id, data_split, begins FROM compared_loads(%(week)s)
),
active AS MATERIALIZED (
    SELECT side, begins, "userId", sum(n) AS n
    FROM loads
    JOIN user_counts USING (batch_id, data_split)
    WHERE side <> 'baseline'
    GROUP BY side, begins, "userId"
),
known AS MATERIALIZED (
    SELECT
        a.side, a.n,
        EXISTS (
            SELECT FROM user_counts AS c
            WHERE c."userId" = a."userId" AND c.week < a.begins
                AND (c.batch_id <> 'baseline' OR c.data_split = 'train')
        ) AS is_known
    FROM active AS a
)
SELECT
    side,
    sum(n)::bigint AS ratings,
    count(*) AS users,
    coalesce(sum(n) FILTER (WHERE NOT is_known), 0)::bigint AS by_new_users,
    count(*) FILTER (WHERE NOT is_known) AS new_users
FROM known
GROUP BY side
UNION ALL
SELECT 'baseline', coalesce(sum(n), 0)::bigint, count(DISTINCT "userId"), 0, 0
FROM loads
JOIN user_counts USING (batch_id, data_split)
WHERE side = 'baseline'
