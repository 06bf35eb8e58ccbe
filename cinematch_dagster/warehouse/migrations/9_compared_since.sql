-- What a week is compared with stands in one place each: since when, and which loads.

-- The week of the last promotion before a week, null before the first: what the week is compared with
-- begins there.
CREATE OR REPLACE FUNCTION compared_since(compared_week date) RETURNS date
LANGUAGE sql STABLE AS $$
SELECT max(p.week) FROM promotions AS p WHERE p.promoted AND p.week < compared_week
$$;

-- As in version 2: the parts of loads that a week's drift is computed from, by side of the
-- comparison; `begins` is the first week that belongs to the side.
CREATE OR REPLACE FUNCTION compared_loads(compared_week date)
RETURNS TABLE (side text, batch_id text, data_split text, begins date)
LANGUAGE sql STABLE AS $$
WITH previous AS (
    SELECT compared_since(compared_week) AS week
),
sides AS (
    SELECT 'baseline' AS side, i.batch_id, '{train}'::text[] AS splits, date 'infinity' AS begins
    FROM ingestion_metadata AS i, previous
    WHERE i.batch_id = 'baseline'
        OR i.week <= previous.week
        AND EXISTS (
            SELECT FROM promotions AS p
            WHERE p.promoted AND p.version = i.merged_version AND p.buffer_policy = 'merge'
                AND p.week <= previous.week
        )
    UNION ALL
    SELECT 'per_batch', i.batch_id, '{train,test}', compared_week
    FROM ingestion_metadata AS i
    WHERE i.batch_id <> 'baseline' AND i.week = compared_week
    UNION ALL
    SELECT 'cumulative', i.batch_id, '{train,test}',
        coalesce(
            previous.week,
            (SELECT i.week FROM ingestion_metadata AS i WHERE i.batch_id = 'baseline'),
            date '-infinity'
        ) + 1
    FROM ingestion_metadata AS i, previous
    WHERE i.batch_id <> 'baseline' AND i.week <= compared_week
        AND i.week > coalesce(previous.week, '-infinity')
)
SELECT s.side, s.batch_id, split, s.begins
FROM sides AS s, unnest(s.splits) AS split
$$;
