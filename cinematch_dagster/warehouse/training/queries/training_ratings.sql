SELECT "userId", "movieId", rating, "timestamp"
FROM ratings
WHERE data_split = 'train'
UNION ALL
SELECT b."userId", b."movieId", b.rating, b."timestamp"
FROM ratings_buffer AS b
JOIN ingestion_metadata AS i USING (batch_id)
WHERE NOT b.held_out AND i.week <= %(through)s
