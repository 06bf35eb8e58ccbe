-- What is known around a week, before or after its batch is loaded: of the feed's batches for one of
-- the feed, of those of live ratings for one of those.
SELECT
    (
        SELECT coalesce(array_agg(r.record_count), '{}')
        FROM (
            SELECT record_count
            FROM ingestion_metadata
            WHERE status = 'completed' AND batch_id LIKE %(kind)s AND week < %(week)s
            ORDER BY week DESC
            LIMIT 8
        ) AS r
    ),
    max(b."timestamp") FILTER (WHERE i.week < %(week)s),
    min(b."timestamp") FILTER (WHERE i.week > %(week)s)
FROM ratings_buffer AS b
JOIN ingestion_metadata AS i USING (batch_id)
WHERE b.batch_id LIKE %(kind)s
