SELECT "userId", "movieId", rating, "timestamp"
FROM ratings
WHERE data_split = 'test'
