SELECT i.batch_id
FROM ingestion_metadata AS i
WHERE i.status = 'completed'
    AND (
        i.batch_id = 'baseline'
        OR i.merged_at IS NULL AND i.week <= %(through)s
        OR EXISTS (
            SELECT FROM promotions AS p
            WHERE p.promoted AND p.version = i.merged_version AND p.buffer_policy = 'merge'
        )
    )
ORDER BY i.week
