WITH moved AS (
    DELETE FROM ratings_buffer AS b
    USING ingestion_metadata AS i
    WHERE i.batch_id = b.batch_id AND i.week <= %(through)s
    RETURNING b."userId", b."movieId", b.rating, b."timestamp", b.held_out, b.batch_id
)
INSERT INTO ratings ("userId", "movieId", rating, "timestamp", data_split, batch_id)
SELECT
    "userId", "movieId", rating, "timestamp", CASE WHEN held_out THEN 'test' ELSE 'train' END,
    batch_id
FROM moved
