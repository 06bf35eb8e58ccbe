-- The ten movies with the most ratings, merged and still in the buffer, and their mean.
WITH everything AS (
    SELECT "movieId", rating FROM ratings
    UNION ALL
    SELECT "movieId", rating FROM ratings_buffer
)
SELECT "movieId", m.title, m.genres, count(*) AS ratings, avg(e.rating) AS mean_rating
FROM everything AS e
LEFT JOIN movies AS m USING ("movieId")
GROUP BY "movieId", m.title, m.genres
ORDER BY ratings DESC, "movieId"
LIMIT 10
