WITH moved AS (
    DELETE FROM ratings_buffer AS b
    USING ingestion_metadata AS i
    WHERE i.batch_id = b.batch_id AND i.week <= %(through)s
    RETURNING b.*
)
INSERT INTO ratings_archive (
    "userId", "movieId", rating, "timestamp", batch_id, ingested_at, held_out
)
SELECT "userId", "movieId", rating, "timestamp", batch_id, ingested_at, held_out
FROM moved
