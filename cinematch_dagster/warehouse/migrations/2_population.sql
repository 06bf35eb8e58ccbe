-- Who rated what, counted in the transaction that writes the rows; held-out rows are 'test'.
-- No foreign keys: checking each of a load's thousands of rows would cost more than writing them.

CREATE TABLE IF NOT EXISTS user_counts (
    batch_id text NOT NULL,
    data_split text NOT NULL
        CONSTRAINT user_counts_split CHECK (data_split IN ('train', 'test')),
    "userId" integer NOT NULL,
    week date NOT NULL,  -- of the load
    n bigint NOT NULL CHECK (n > 0),
    PRIMARY KEY ("userId", week, batch_id, data_split)
);
CREATE INDEX IF NOT EXISTS user_counts_batch ON user_counts (batch_id);

CREATE TABLE IF NOT EXISTS movie_counts (
    batch_id text NOT NULL,
    data_split text NOT NULL
        CONSTRAINT movie_counts_split CHECK (data_split IN ('train', 'test')),
    "movieId" integer NOT NULL,
    week date NOT NULL,  -- of the load
    n bigint NOT NULL CHECK (n > 0),
    PRIMARY KEY ("movieId", week, batch_id, data_split)
);
CREATE INDEX IF NOT EXISTS movie_counts_batch ON movie_counts (batch_id);

-- From movie_counts and the catalogue: a rating counts in each genre of its movie.
CREATE TABLE IF NOT EXISTS genre_counts (
    batch_id text NOT NULL REFERENCES ingestion_metadata (batch_id),
    data_split text NOT NULL
        CONSTRAINT genre_counts_split CHECK (data_split IN ('train', 'test')),
    genre text NOT NULL,
    n bigint NOT NULL CHECK (n > 0),
    PRIMARY KEY (batch_id, data_split, genre)
);

-- The parts of loads that a week's drift is computed from, by side of the comparison; `begins` is
-- the first week that belongs to the side.
CREATE OR REPLACE FUNCTION compared_loads(compared_week date)
RETURNS TABLE (side text, batch_id text, data_split text, begins date)
LANGUAGE sql STABLE AS $$
WITH previous AS (
    SELECT max(p.week) AS week
    FROM promotions AS p
    WHERE p.promoted AND p.week < compared_week
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

-- Loads that were made before there were these tables, as far as their rows still tell: of the
-- batches that one promotion merged together nobody knows which row was whose.
UPDATE ratings AS r
SET batch_id = i.batch_id
FROM (
    SELECT merged_at, min(batch_id) AS batch_id
    FROM ingestion_metadata
    WHERE merged_at IS NOT NULL
    GROUP BY merged_at
    HAVING count(*) = 1
) AS i
WHERE r.batch_id IS NULL AND r.loaded_at = i.merged_at;

WITH loads AS (
    SELECT batch_id, held_out, "userId", "movieId" FROM ratings_buffer
    UNION ALL
    SELECT batch_id, held_out, "userId", "movieId" FROM ratings_archive
    UNION ALL
    SELECT coalesce(batch_id, 'baseline'), data_split = 'test', "userId", "movieId"
    FROM ratings
    WHERE batch_id IS NOT NULL OR loaded_at NOT IN (
        SELECT merged_at FROM ingestion_metadata WHERE merged_at IS NOT NULL
    )
),
dated AS (
    SELECT batch_id, week, CASE WHEN held_out THEN 'test' ELSE 'train' END AS data_split,
        "userId", "movieId"
    FROM loads
    JOIN ingestion_metadata USING (batch_id)
),
users AS (
    INSERT INTO user_counts (batch_id, week, data_split, "userId", n)
    SELECT batch_id, week, data_split, "userId", count(*)
    FROM dated
    GROUP BY batch_id, week, data_split, "userId"
    ON CONFLICT DO NOTHING
)
INSERT INTO movie_counts (batch_id, week, data_split, "movieId", n)
SELECT batch_id, week, data_split, "movieId", count(*)
FROM dated
GROUP BY batch_id, week, data_split, "movieId"
ON CONFLICT DO NOTHING;

INSERT INTO genre_counts (batch_id, data_split, genre, n)
SELECT c.batch_id, c.data_split, genre, sum(c.n)
FROM movie_counts AS c
JOIN movies AS m USING ("movieId"), unnest(string_to_array(m.genres, '|')) AS genre
GROUP BY c.batch_id, c.data_split, genre
ON CONFLICT DO NOTHING;
