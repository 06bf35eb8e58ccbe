SELECT i.batch_id
FROM unnest(%(names)s::text[], %(digests)s::text[]) AS file (batch_id, sha256)
JOIN ingestion_metadata AS i USING (batch_id)
WHERE i.merged_at IS NOT NULL
    OR i.status = 'completed' AND i.batch_id LIKE 'live\_w%%'
    OR i.status IN ('completed', 'failed') AND i.sha256 = file.sha256
