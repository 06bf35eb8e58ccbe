SELECT "userId", "movieId", rating, "timestamp"
FROM ratings_buffer
WHERE batch_id = ANY (%(ids)s)
UNION ALL
SELECT "userId", "movieId", rating, "timestamp"
FROM ratings
WHERE batch_id = ANY (%(ids)s)
UNION ALL
SELECT "userId", "movieId", rating, "timestamp"
FROM ratings_archive
WHERE batch_id = ANY (%(ids)s)
