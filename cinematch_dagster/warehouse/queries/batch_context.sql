-- What is known around a week, before or after its batch is loaded: how many rows came lately, and
-- the times of the weeks in the buffer that are next to it.
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
    (
        SELECT max("timestamp")
        FROM ratings_buffer
        WHERE batch_id = (
            SELECT batch_id
            FROM ingestion_metadata
            WHERE status = 'completed' AND merged_version IS NULL AND batch_id <> 'baseline'
                AND week < %(week)s
            ORDER BY week DESC
            LIMIT 1
        )
    ),
    (
        SELECT min("timestamp")
        FROM ratings_buffer
        WHERE batch_id = (
            SELECT batch_id
            FROM ingestion_metadata
            WHERE status = 'completed' AND merged_version IS NULL AND batch_id <> 'baseline'
                AND week > %(week)s
            ORDER BY week
            LIMIT 1
        )
    )
