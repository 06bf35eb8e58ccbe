SELECT coalesce(sum(record_count), 0)::bigint
FROM ingestion_metadata
WHERE status = 'completed' AND batch_id LIKE 'live\_w%%' AND week < %(week)s
