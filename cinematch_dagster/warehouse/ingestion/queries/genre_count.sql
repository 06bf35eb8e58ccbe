INSERT INTO genre_counts (batch_id, data_split, genre, n)
SELECT c.batch_id, c.data_split, genre, sum(c.n)
FROM movie_counts AS c
JOIN movies AS m USING ("movieId"), unnest(string_to_array(m.genres, '|')) AS genre
WHERE %(batch_id)s::text IS NULL OR c.batch_id = %(batch_id)s
GROUP BY c.batch_id, c.data_split, genre
