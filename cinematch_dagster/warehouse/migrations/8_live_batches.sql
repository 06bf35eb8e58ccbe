-- Live ratings get batches of their own, live_wN, and each file that was written of them its digest:
-- what was loaded is compared with it.

CREATE TABLE IF NOT EXISTS live_batches (
    batch_id text PRIMARY KEY,
    sha256 text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now()
);

-- Until now they took names of the feed, batch_wN. Where no such batch was loaded, or one with
-- another number of ratings, the ratings are not in the buffer: they are written once more.
WITH latest AS (
    SELECT DISTINCT ON (batch_id, "userId", "movieId") batch_id, rating
    FROM live_ratings
    WHERE batch_id LIKE 'batch\_w%'
    ORDER BY batch_id, "userId", "movieId", given_at DESC, id DESC
),
given AS (
    SELECT batch_id, count(rating) AS n FROM latest GROUP BY batch_id
)
UPDATE live_ratings AS l
SET batch_id = 'live' || substr(l.batch_id, 6)
FROM given AS g
WHERE g.batch_id = l.batch_id
    AND NOT EXISTS (
        SELECT FROM ingestion_metadata AS i
        WHERE i.batch_id = g.batch_id AND i.status = 'completed' AND i.record_count = g.n
    );
