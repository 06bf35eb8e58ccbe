-- Who rated (or what was) on each side of the comparison of some weeks; {counts} is user_counts with
-- {who} "userId", or movie_counts with "movieId". Weeks since the same promotion share a baseline and
-- grow week by week, so that all of them cost one pass. Sums are of integers: a sum of bigint is
-- numeric, and slow.
WITH compared AS MATERIALIZED (
    SELECT week, max(week) OVER (PARTITION BY since) AS last_week
    FROM (
        SELECT DISTINCT w.week, compared_since(w.week) AS since
        FROM unnest(%(weeks)s::date[]) AS w (week)
    ) AS of_a_promotion
),
loads AS MATERIALIZED (
    SELECT l.side, l.batch_id, l.data_split, l.begins, c.last_week
    FROM (SELECT DISTINCT last_week FROM compared) AS c, compared_loads(c.last_week) AS l
    WHERE l.side <> 'per_batch'
),
active AS MATERIALIZED (
    SELECT
        c.{who}, c.week, l.last_week, l.begins, sum(c.n::integer) AS n,
        min(c.week) OVER (PARTITION BY l.last_week, c.{who}) AS arrival
    FROM loads AS l
    JOIN {counts} AS c USING (batch_id, data_split)
    WHERE l.side = 'cumulative'
    GROUP BY c.{who}, c.week, l.last_week, l.begins
),
-- New is who has no rating in the baseline's train part nor in a batch of a week before the side
-- begins: a first week says so.
known AS MATERIALIZED (
    SELECT {who}, min(week) AS first_week
    FROM {counts}
    WHERE (batch_id <> 'baseline' OR data_split = 'train')
        AND {who} IN (SELECT {who} FROM active)
    GROUP BY {who}
),
weekly AS MATERIALIZED (
    SELECT
        a.week, a.last_week,
        sum(a.n)::bigint AS ratings,
        count(*) AS everybody,
        count(*) FILTER (WHERE a.arrival = a.week) AS arrived,
        coalesce(sum(a.n) FILTER (WHERE k.first_week >= a.week), 0)::bigint AS by_new_in_week,
        count(*) FILTER (WHERE k.first_week >= a.week) AS new_in_week,
        coalesce(sum(a.n) FILTER (WHERE k.first_week >= a.begins), 0)::bigint AS by_new,
        count(*) FILTER (WHERE k.first_week >= a.begins AND a.arrival = a.week) AS arrived_new
    FROM active AS a
    JOIN known AS k USING ({who})
    GROUP BY a.week, a.last_week
)
SELECT week, 'per_batch' AS side, ratings, everybody, by_new_in_week AS by_new, new_in_week AS new
FROM compared
JOIN weekly USING (week, last_week)
UNION ALL
SELECT
    c.week, 'cumulative', sum(w.ratings)::bigint, sum(w.arrived)::bigint,
    sum(w.by_new)::bigint, sum(w.arrived_new)::bigint
FROM compared AS c
JOIN weekly AS w ON w.last_week = c.last_week AND w.week <= c.week
GROUP BY c.week
UNION ALL
SELECT c.week, 'baseline', b.ratings, b.everybody, 0, 0
FROM compared AS c
JOIN (
    SELECT l.last_week, sum(n::integer)::bigint AS ratings, count(DISTINCT u.{who}) AS everybody
    FROM loads AS l
    JOIN {counts} AS u USING (batch_id, data_split)
    WHERE l.side = 'baseline'
    GROUP BY l.last_week
) AS b USING (last_week)
