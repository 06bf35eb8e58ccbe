-- Written or not: of which no file was loaded, or another than the one that was written.
SELECT DISTINCT l.batch_id
FROM live_ratings AS l
WHERE l.batch_id LIKE 'live\_w%'
    AND NOT EXISTS (
        SELECT FROM ingestion_metadata AS i
        JOIN live_batches AS w USING (batch_id, sha256)
        WHERE i.batch_id = l.batch_id AND i.status = 'completed'
    )
ORDER BY l.batch_id
