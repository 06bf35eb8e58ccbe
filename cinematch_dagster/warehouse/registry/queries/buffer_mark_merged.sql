WITH marked AS (
    UPDATE ingestion_metadata
    SET merged_at = now(), merged_version = %(version)s
    WHERE batch_id <> 'baseline' AND status = 'completed' AND merged_at IS NULL
        AND week <= %(through)s
    RETURNING record_count
)
SELECT coalesce(sum(record_count), 0) FROM marked
