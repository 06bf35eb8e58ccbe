INSERT INTO live_ratings (key, "userId", "movieId", rating, given_at)
SELECT e.key, e."userId", e."movieId", e.rating, e.given_at
FROM live_ratings_elsewhere AS e
LEFT JOIN live_ratings AS l USING (key)
WHERE l.key IS NULL
ORDER BY e.place
ON CONFLICT (key) DO NOTHING
