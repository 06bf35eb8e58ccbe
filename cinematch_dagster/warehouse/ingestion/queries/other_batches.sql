-- What these users have rated in other batches of the buffer.
SELECT "userId", "movieId", rating, "timestamp"
FROM ratings_buffer
WHERE batch_id <> %(name)s AND "userId" = ANY(%(users)s)
