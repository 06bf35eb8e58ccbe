SELECT b."userId", b."movieId", b.rating, b."timestamp"
FROM ratings_buffer AS b
JOIN ingestion_metadata AS i USING (batch_id)
WHERE b.held_out AND i.week <= %(through)s
