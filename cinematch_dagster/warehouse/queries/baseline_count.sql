INSERT INTO rating_histogram (batch_id, data_split, rating, n)
SELECT 'baseline', data_split, rating, count(*)
FROM ratings
GROUP BY data_split, rating
