SELECT side, genre, sum(n)::bigint
FROM compared_loads(%(week)s)
JOIN genre_counts USING (batch_id, data_split)
GROUP BY side, genre
ORDER BY side, genre
