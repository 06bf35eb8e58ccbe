SELECT DISTINCT l.batch_id
FROM live_ratings AS l
LEFT JOIN ingestion_metadata AS i ON i.batch_id = l.batch_id AND i.status = 'completed'
WHERE l.batch_id IS NOT NULL AND i.batch_id IS NULL
ORDER BY l.batch_id
