SELECT "userId", "movieId", rating, "timestamp"
FROM ratings_buffer
WHERE batch_id <> %(name)s
