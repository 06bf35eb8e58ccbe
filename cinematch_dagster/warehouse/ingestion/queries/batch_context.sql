-- What is known around a week, before or after its batch is loaded.
SELECT
    (
        SELECT coalesce(array_agg(r.record_count), '{}')
        FROM (
            SELECT record_count
            FROM ingestion_metadata
            WHERE status = 'completed' AND batch_id <> 'baseline' AND week < %(week)s
            ORDER BY week DESC
            LIMIT 8
        ) AS r
    ),
    max(b."timestamp") FILTER (WHERE i.week < %(week)s),
    min(b."timestamp") FILTER (WHERE i.week > %(week)s)
FROM ratings_buffer AS b
JOIN ingestion_metadata AS i USING (batch_id)
