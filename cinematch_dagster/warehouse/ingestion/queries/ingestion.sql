SELECT batch_id, week, sha256, status, record_count, injected, merged_at, merged_version
FROM ingestion_metadata
WHERE batch_id = %(batch_id)s
