INSERT INTO rating_histogram (batch_id, data_split, rating, n)
SELECT batch_id, CASE WHEN held_out THEN 'test' ELSE 'train' END, rating, count(*)
FROM ratings_buffer
WHERE batch_id = %(batch_id)s
GROUP BY batch_id, held_out, rating
