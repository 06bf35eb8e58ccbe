-- New is who has no rating in the baseline's train part nor in a batch of a week before the side
-- begins: a person's first week says so. One pass over the counts, as integers: a sum of
-- bigint is numeric, and slow.
WITH sides AS MATERIALIZED (
    SELECT side, batch_id, data_split, begins FROM compared_loads(%(week)s)
),
loads AS MATERIALIZED (
    SELECT
        batch_id, data_split,
        bool_or(side = 'baseline') AS in_baseline,
        bool_or(side = 'per_batch') AS in_week,
        bool_or(side = 'cumulative') AS so_far
    FROM sides
    GROUP BY batch_id, data_split
),
people AS MATERIALIZED (
    SELECT
        min(week) FILTER (WHERE batch_id <> 'baseline' OR data_split = 'train') AS first_week,
        sum(n::integer) FILTER (WHERE in_baseline) AS baseline,
        sum(n::integer) FILTER (WHERE in_week) AS per_batch,
        sum(n::integer) FILTER (WHERE so_far) AS cumulative
    FROM user_counts
    LEFT JOIN loads USING (batch_id, data_split)
    WHERE week <= %(week)s
    GROUP BY "userId"
)
SELECT
    'baseline' AS side, coalesce(sum(baseline), 0)::bigint AS ratings, count(baseline) AS users,
    0 AS by_new_users, 0 AS new_users
FROM people
UNION ALL
SELECT
    'per_batch', sum(per_batch)::bigint, count(*),
    coalesce(sum(per_batch) FILTER (WHERE is_new), 0)::bigint, count(*) FILTER (WHERE is_new)
FROM (
    SELECT per_batch, coalesce(first_week >= %(week)s, true) AS is_new
    FROM people
    WHERE per_batch IS NOT NULL
) AS of_the_week
HAVING count(*) > 0
UNION ALL
SELECT
    'cumulative', sum(cumulative)::bigint, count(*),
    coalesce(sum(cumulative) FILTER (WHERE is_new), 0)::bigint, count(*) FILTER (WHERE is_new)
FROM (
    SELECT
        cumulative,
        coalesce(
            first_week >= (SELECT max(begins) FROM sides WHERE side = 'cumulative'), true
        ) AS is_new
    FROM people
    WHERE cumulative IS NOT NULL
) AS of_all_weeks
HAVING count(*) > 0
